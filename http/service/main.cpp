#include "http/service/process.hpp"

int main(int argc, char** argv) {
  return herald::run_process(argc, argv);
}
