# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.

# One library of the project. All are OBJECT libraries: tools link them with
# the MLIR and LLVM shared libraries, the plugin links them with neither (its
# host already holds both), so no binary ever carries a second copy of MLIR.
function(polyattn_add_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  add_library(${name} OBJECT ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  set_property(GLOBAL APPEND PROPERTY POLYATTN_LIBS ${name})
endfunction()

# A tool linked with the project's libraries and the MLIR shared library.
function(polyattn_add_tool name)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  set(objects)
  foreach(lib ${ARG_LIBS})
    list(APPEND objects $<TARGET_OBJECTS:${lib}>)
  endforeach()
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS} ${objects})
  target_link_libraries(${name} PRIVATE MLIR LLVM ZLIB::ZLIB Threads::Threads)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()
