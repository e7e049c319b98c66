#include "serve/http/feast_request.h"

#include <gtest/gtest.h>

namespace headrace::serve {
namespace {

std::vector<engine::StreamInfo> Streams() {
  engine::StreamInfo stream;
  stream.name = stream.topic = "s";
  stream.kind = "stream";
  stream.schema.columns = {{"k", row::Type{row::TypeKind::kText}}};
  return {stream};
}

// `columns` of one name of `name_bytes` bytes each, with `rows` values.
std::string Frame(size_t columns, size_t name_bytes, size_t rows) {
  std::string values = "[1";
  for (size_t i = 1; i < rows; ++i)
    values += ",1";
  std::string body = R"({"push_source_name":"s","df":{)";
  for (size_t i = 0; i < columns; ++i) {
    if (i > 0) body += ',';
    body += '"' + std::string(name_bytes, 'a') + std::to_string(i) + "\":" + values + "]";
  }
  return body + "}}";
}

TEST(FeastRequest, ColumnsBecomeEvents) {
  const std::vector<engine::StreamInfo> streams = Streams();
  PushRequest request;
  FeastRefusal refusal;
  ASSERT_TRUE(ParsePushRequest(R"({"push_source_name":"s","df":{"k":["a","b"],"other":[1,2]}})",
                               "push_source_name", streams, 100, &request, &refusal))
      << refusal.body;
  EXPECT_EQ((std::vector<std::string>{R"({"k":"a","other":1})", R"({"k":"b","other":2})"}),
            request.events);
}

// A name is written once for each row: a body of a few megabytes could become any number of them.
TEST(FeastRequest, NamesAreLimitedByWhatTheyBecome) {
  const std::vector<engine::StreamInfo> streams = Streams();
  const auto push = [&](const std::string& body) {
    PushRequest request;
    FeastRefusal refusal;
    const bool taken =
        ParsePushRequest(body, "push_source_name", streams, 10'000, &request, &refusal);
    return taken ? 200 : refusal.status;
  };
  EXPECT_EQ(200, push(Frame(10, 1000, 1000)));
  EXPECT_EQ(413, push(Frame(12, 1000, 1000)));
  EXPECT_EQ(413, push(Frame(1, 1'200'000, 10)));
}

}  // namespace
}  // namespace headrace::serve
