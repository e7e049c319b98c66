# headrace_module(<name> LAYER <n>
#   HEADERS  what other modules may include        SOURCES  *.cc, private headers
#   DEPS     the modules below it                  EXTERNAL third-party targets
#   TESTS    *_test.cc, linked into <name>_test)
#
# One folder is one namespace, one static library and one test binary. This call is the only place
# where a module's direction and surface are written: an edge to a module that is not in a lower
# layer stops the configure step, and tools/check_layers.py refuses an #include not covered here.
function(headrace_module name)
  cmake_parse_arguments(M "" "LAYER" "HEADERS;SOURCES;DEPS;EXTERNAL;TESTS" ${ARGN})
  if(M_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "headrace_module(${name}): unknown words ${M_UNPARSED_ARGUMENTS}")
  endif()
  foreach(dep IN LISTS M_DEPS)
    get_property(dep_layer GLOBAL PROPERTY headrace_layer_of_${dep})
    if(dep_layer STREQUAL "" OR NOT dep_layer LESS M_LAYER)
      message(FATAL_ERROR
        "module ${name} (layer ${M_LAYER}) may not depend on ${dep} (layer '${dep_layer}')")
    endif()
  endforeach()
  set_property(GLOBAL PROPERTY headrace_layer_of_${name} ${M_LAYER})
  list(TRANSFORM M_DEPS PREPEND headrace_ OUTPUT_VARIABLE libraries)

  add_library(headrace_${name} STATIC ${M_SOURCES})
  target_include_directories(headrace_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src
                             ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(headrace_${name} PUBLIC ${libraries} ${M_EXTERNAL}
                        PRIVATE headrace_warnings)

  if(M_TESTS AND BUILD_TESTING)
    add_executable(${name}_test ${M_TESTS})
    target_link_libraries(${name}_test PRIVATE headrace_${name} headrace_warnings
                          GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name}_test WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES LABELS unit)
  endif()
endfunction()
