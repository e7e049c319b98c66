#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "headrace/error.h"
#include "headrace/result.h"

namespace headrace {

// An event that was not taken: its index in the call, and why (the error's place is a JSON
// pointer).
struct RefusedEvent {
  size_t index = 0;
  Error error;
};

struct Answer {
  size_t accepted = 0;  // those included that DEDUPLICATE BY dropped
  std::vector<RefusedEvent> refused;
  std::vector<std::string> rows;  // JSON objects with `_id` first, in the order of their causes
};

// Headrace inside another program: events in, features, scores and decisions out, over one data
// directory, which the command line tool can look into afterwards.
//
// Threads: one at a time, but for Query and Why, which any thread may call. Lifetime: closes in its
// destructor; Close says whether all is on disk. One engine per directory (HR7005).
class Engine {
 public:
  // Makes the directory when it is missing; otherwise recovers what it holds.
  static Result<std::unique_ptr<Engine>> Open(const std::string& directory);
  virtual ~Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Deploys the CREATE and ALTER statements of a script; what stands there with the same text is
  // left alone. All errors, with place and caret, are in the message, and nothing is deployed then.
  // `name` is for those places, and paths of models are relative to its folder.
  virtual Status Execute(std::string_view script, const std::string& name) = 0;

  // Takes JSON objects as events of a topic, and returns when they, and the rows they caused, are
  // on disk (it waits while the disk is full). With `rows_of`, the answer has the rows of that
  // stream. Errors, with nothing taken: HR1203 (no such topic), HR1204 (no such stream), HR5xxx.
  virtual Result<Answer> Send(const std::string& topic, std::vector<std::string> events,
                              const std::string& rows_of) = 0;

  // SELECT, SHOW or DESCRIBE over what is on disk: a JSON object a row.
  virtual Result<std::vector<std::string>> Query(std::string_view sql) const = 0;

  // Why the row STREAM:PARTITION:OFFSET is what it is, as a JSON document.
  virtual Result<std::string> Why(std::string_view id) const = 0;

  // Nothing is taken any more after it.
  virtual Status Close() = 0;

 protected:
  Engine() = default;
};

}  // namespace headrace
