# CMAKE_PROJECT_INCLUDE of a generated tflm project: `edgekit_tflm` is the double, backed by the
# aot code in TFLM_DOUBLE_MODEL (a folder), asking for TFLM_DOUBLE_ARENA bytes.
include_guard(GLOBAL)
file(GLOB sources ${TFLM_DOUBLE_MODEL}/*.c ${TFLM_DOUBLE_MODEL}/kernels/*.c)
add_library(edgekit_tflm STATIC ${CMAKE_CURRENT_LIST_DIR}/interpreter.cc ${sources})
target_include_directories(edgekit_tflm PUBLIC ${CMAKE_CURRENT_LIST_DIR}/include
    PRIVATE ${TFLM_DOUBLE_MODEL})
target_compile_definitions(edgekit_tflm PRIVATE TFLM_DOUBLE_ARENA=${TFLM_DOUBLE_ARENA})
target_compile_options(edgekit_tflm PUBLIC
    $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti> $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>
    $<$<COMPILE_LANGUAGE:CXX>:-fno-threadsafe-statics>
    PRIVATE -O2 -ffunction-sections -fdata-sections)
