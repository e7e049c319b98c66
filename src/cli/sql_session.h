#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/listing.h"
#include "cli/workspace.h"
#include "engine/engine.h"

namespace headrace::cli {

// One statement of a script and where it begins, counted from 1.
struct ScriptPart {
  std::string text;
  int line = 1;
  int column = 1;
};

// Cuts a script at its semicolons; comments and empty statements are left out. Never fails: what
// cannot be read stays in its part, for the parser to refuse.
std::vector<ScriptPart> SplitScript(std::string_view script);

// What a statement answered: a result for a query, nothing for a definition, or why not.
struct Answer {
  std::optional<engine::QueryResult> result;
  std::optional<Error> error;
};

// Runs statements one by one over a data directory, or over nothing. The directory is only read
// until a statement comes that defines something. Confined.
class SqlSession {
 public:
  explicit SqlSession(std::optional<std::string> directory) : directory_(std::move(directory)) {}

  Status Open();
  // `name` is the script's, for places.
  Answer Run(const ScriptPart& part, const std::string& name);

 private:
  Status OpenForWriting();

  std::optional<std::string> directory_;
  std::unique_ptr<Workspace> workspace_;
  bool read_only_ = true;
};

// `{"columns":...}` or `{"error":...}`, one line.
std::string AnswerJson(const Answer& answer);
Listing ListingOf(const engine::QueryResult& result);

}  // namespace headrace::cli
