// Boost.URL itself: Debian brings it along as headers alone, of which one source has to compile the
// definitions. It is not http_url.cpp, or clang's analyzer would judge them as ours.
#include <boost/url/src.hpp>
