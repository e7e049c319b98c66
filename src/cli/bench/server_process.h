#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <sys/types.h>

#include "headrace/result.h"

namespace headrace::cli {

// `headrace serve` over DIRECTORY/app.sql and DIRECTORY/data, on any free port, until this dies.
class ServerProcess {
 public:
  explicit ServerProcess(std::string directory) : directory_(std::move(directory)) {}
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Waits until it says where it listens.
  Status Start();
  uint16_t port() const { return port_; }

 private:
  Status ReadPort();

  std::string directory_;
  pid_t process_ = -1;
  int said_ = -1;
  uint16_t port_ = 0;
};

}  // namespace headrace::cli
