"""One module per project form: lay out a project, and build it with the form's own tool."""
