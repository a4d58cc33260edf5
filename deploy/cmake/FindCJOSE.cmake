# Debian's cjose.pc wants jansson.pc, which libcjose-dev does not bring along and no header needs.
# Gives CJOSE::cjose.
find_path(CJOSE_INCLUDE_DIR cjose/cjose.h)
find_library(CJOSE_LIBRARY cjose)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CJOSE REQUIRED_VARS CJOSE_LIBRARY CJOSE_INCLUDE_DIR)
if(CJOSE_FOUND AND NOT TARGET CJOSE::cjose)
  add_library(CJOSE::cjose UNKNOWN IMPORTED)
  set_target_properties(CJOSE::cjose PROPERTIES
    IMPORTED_LOCATION "${CJOSE_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${CJOSE_INCLUDE_DIR}")
endif()
