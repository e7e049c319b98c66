#pragma once

#include <memory>
#include <string>

#include "cli/arguments.h"
#include "cli/http_client.h"
#include "cli/listing.h"
#include "headrace/result.h"

namespace headrace::cli {

inline constexpr Flag kUrlFlag = {"--url", "URL",
                                  "a running server, instead of --data: http://HOST:PORT"};

// A running server, asked over HTTP. Confined.
class Remote {
 public:
  // Takes http://HOST[:PORT][/]. Error: HR9001.
  static Result<Remote> At(const std::string& url);

  // The body of a good answer. Errors: what the server said was wrong, with its code and hint;
  // HR9021 when it cannot be reached or its answer is none.
  Result<std::string> Get(const std::string& path);
  Result<std::string> Delete(const std::string& path);
  // {"columns":...,"rows":...}
  Result<std::string> Sql(std::string_view text);

 private:
  explicit Remote(std::unique_ptr<HttpClient> http) : http_(std::move(http)) {}
  static Result<std::string> BodyOf(HttpAnswer answer);

  std::unique_ptr<HttpClient> http_;
};

// A segment of a path, percent-encoded.
std::string PathSegment(std::string_view text);
// What Sql answered, as a listing. Error: HR9021 when it is not that.
Result<Listing> ListingOfJson(const std::string& answer);

}  // namespace headrace::cli
