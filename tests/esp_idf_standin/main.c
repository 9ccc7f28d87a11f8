/* The stand-in's operating system: starts the application, ends where it waits. */
void app_main(void);

int main(void)
{
    app_main();
    return 1; /* a firmware's loop does not end */
}
