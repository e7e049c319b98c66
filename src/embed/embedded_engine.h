#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "connect/http_caller.h"
#include "engine/engine.h"
#include "headrace/engine.h"
#include "os/clock.h"
#include "os/file_system.h"

namespace headrace::embed {

// The public Engine on a file system, a clock and an engine of its own; the caller's thread is the
// worker.
class EmbeddedEngine final : public Engine {
 public:
  static Result<std::unique_ptr<EmbeddedEngine>> Open(std::unique_ptr<os::FileSystem> files,
                                                      std::unique_ptr<os::Clock> clock,
                                                      const std::string& directory);

  Status Execute(std::string_view script, const std::string& name) override;
  Result<Answer> Send(const std::string& topic, std::vector<std::string> events,
                      const std::string& rows_of) override;
  Result<std::vector<std::string>> Query(std::string_view sql) const override;
  Result<std::string> Why(std::string_view id) const override;
  Status Close() override;

 private:
  EmbeddedEngine(std::unique_ptr<os::FileSystem> files, std::unique_ptr<os::Clock> clock)
      : files_(std::move(files)), clock_(std::move(clock)) {}

  std::unique_ptr<os::FileSystem> files_;
  std::unique_ptr<os::Clock> clock_;
  base::MetricsRegistry metrics_;
  connect::TcpHttpCaller caller_;  // of remote models
  std::unique_ptr<engine::Engine> engine_;
};

}  // namespace headrace::embed
