#include "serve/http/ingest.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "serve/http/cloud_event.h"
#include "serve/http/problem.h"

namespace headrace::serve {
namespace {

using Strings = std::vector<std::string>;

Result<EventBody> Split(const std::string& type, const std::string& body) {
  std::vector<Header> headers = {{"content-type", type}};
  return SplitEvents(headers, body, 10);
}

std::string Envelope(const std::string& more) {
  return R"({"specversion":"1.0","type":"t","source":"/s","id":"1")" + more + "}";
}

TEST(SplitEvents, OneObjectIsTakenAsItCame) {
  auto body = Split("application/json; charset=utf-8", " {\"a\": 1} ");
  ASSERT_TRUE(body.ok());
  EXPECT_TRUE(body->alone);
  EXPECT_EQ(body->payloads, Strings{" {\"a\": 1} "});
}

TEST(SplitEvents, LinesKeepTheirPlaceAndEmptyOnesDoNotCount) {
  auto body = Split("application/x-ndjson", "{\"a\":1}\r\n\n[7]\n{\"a\":2}");
  ASSERT_TRUE(body.ok());
  EXPECT_FALSE(body->alone);
  EXPECT_EQ(body->payloads, (Strings{"{\"a\":1}\r", "{\"a\":2}"}));
  EXPECT_EQ(body->IndexOf(1), 2U);
  ASSERT_EQ(body->rejected.size(), 1U);
  EXPECT_EQ(body->rejected[0].index, 1U);
}

TEST(SplitEvents, UnknownTypesEncodingsAndTooManyAreRefused) {
  EXPECT_EQ(Split("text/csv", "a").error().code(), kUnsupportedMedia);
  std::vector<Header> zipped = {{"Content-Encoding", "gzip"}};
  EXPECT_EQ(SplitEvents(zipped, "{}", 10).error().code(), kUnsupportedMedia);
  EXPECT_EQ(Split("application/json", "[1,2,3,4,5,6,7,8,9,10,11]").error().code(), kTooManyEvents);
  std::string lines;
  for (int i = 0; i < 11; ++i)
    lines += "{}\n";
  EXPECT_EQ(Split("application/x-ndjson", lines).error().code(), kTooManyEvents);
}

TEST(SplitEvents, AStructuredCloudEventGivesItsData) {
  EXPECT_EQ(Split("application/cloudevents+json", Envelope(R"(,"data":{"a":1})"))->payloads,
            Strings{"{\"a\":1}"});
  EXPECT_EQ(
      Split("application/cloudevents+json", Envelope(R"(,"data_base64":"eyJhIjoxfQ==")"))->payloads,
      Strings{"{\"a\":1}"});
}

TEST(SplitEvents, ABadEnvelopeNamesTheAttribute) {
  const std::pair<std::string, std::string> cases[] = {
      {R"({"specversion":"1.0","type":"t","id":"1","data":{}})", "/source"},
      {R"({"specversion":"0.3","type":"t","source":"s","id":"1","data":{}})", "/specversion"},
      {R"({"specversion":"1.0","type":"t","source":"s","id":7,"data":{}})", "/id"},
      {R"({"specversion":"1.0","type":"","source":"s","id":"1","data":{}})", "/type"},
      {Envelope(""), "/data"},
      {Envelope(R"(,"data_base64":"e3")"), "/data_base64"},
      {Envelope(R"(,"data_base64":"e30=","data":{})"), "/data_base64"},
      {Envelope(R"(,"datacontenttype":"text/xml","data":"<a/>")"), "/datacontenttype"},
  };
  for (const auto& [envelope, pointer] : cases) {
    auto body = Split("application/cloudevents+json", envelope);
    ASSERT_FALSE(body.ok()) << envelope;
    EXPECT_EQ(body.error().code(), kBadCloudEvent);
    EXPECT_EQ(body.error().place(), pointer);
    EXPECT_EQ(StatusOf(body.error()), 422);
  }
}

TEST(SplitEvents, OneBadEnvelopeDoesNotSpoilABatch) {
  auto body = Split("application/cloudevents-batch+json",
                    "[" + Envelope("") + "," + Envelope(R"(,"data":{})") + ",3]");
  ASSERT_TRUE(body.ok());
  EXPECT_EQ(body->payloads, Strings{"{}"});
  EXPECT_EQ(body->IndexOf(0), 1U);
  ASSERT_EQ(body->rejected.size(), 2U);
  EXPECT_EQ(body->rejected[0].index, 0U);
  EXPECT_EQ(body->rejected[1].index, 2U);
}

TEST(SplitEvents, BinaryCloudEventsNeedTheirAttributes) {
  std::vector<Header> headers = {{"ce-specversion", "1.0"}, {"Ce-Type", "t"}, {"CE-SOURCE", "/s"}};
  EXPECT_EQ(SplitEvents(headers, "{}", 10).error().place(), "/id");
  headers.push_back({"ce-id", "%E2%82%AC"});
  EXPECT_TRUE(SplitEvents(headers, "{}", 10).ok());
  headers.push_back({"ce-subject", "%E2%82"});
  EXPECT_EQ(SplitEvents(headers, "{}", 10).error().place(), "/subject");
}

TEST(DecodeBase64, FollowsTheRfc) {
  EXPECT_EQ(DecodeBase64(""), "");
  EXPECT_EQ(DecodeBase64("Zg=="), "f");
  EXPECT_EQ(DecodeBase64("Zm8="), "fo");
  EXPECT_EQ(DecodeBase64("Zm9v"), "foo");
  EXPECT_EQ(DecodeBase64("+/8="), "\xfb\xff");
  for (const char* bad : {"Z", "Zg", "Zg=", "=", "====", "Zg==Zg==", "Z*==", "Zm=v"}) {
    EXPECT_FALSE(DecodeBase64(bad)) << bad;
  }
}

TEST(EventsResponse, CarriesAllThatTheContractNames) {
  engine::IngestReply reply;
  reply.accepted = 3;
  reply.placed = {{0, 5, 1}, {2, 7, 2}};
  reply.rows = {R"({"_id":"d:0:1","a":1})", R"({"_id":"d:0:2","a":2})"};
  Error error(ErrorKind::kInvalidArgument, "HR4001", "not a \"number\"");
  reply.rejected.push_back({1, std::move(error).AtPlace("/amount")});
  EventIndices request;
  request.indices = {0, 3, 4};
  request.wants_rows = true;
  EXPECT_EQ(EventsResponse(request, reply).body,
            R"({"accepted":3,"rejected":[{"index":3,"code":"HR4001",)"
            R"("message":"not a \"number\"","pointer":"/amount"}],)"
            R"("placed":[{"partition":0,"first_offset":5,"count":1},)"
            R"({"partition":2,"first_offset":7,"count":2}],)"
            R"("rows":[{"_id":"d:0:1","a":1},{"_id":"d:0:2","a":2}]})");
}

TEST(Problem, SaysWhereAndWhatToDo) {
  Error error(ErrorKind::kInvalidArgument, "HR1042", "no column `amuont`");
  auto response = Problem(std::move(error).AtPlace("/tmp/a.sql:7:28").WithHint("amount"), 400);
  EXPECT_EQ(response.body,
            R"({"type":"about:blank","title":"Bad Request","status":400,"code":"HR1042",)"
            R"("detail":"no column `amuont`","hint":"amount","file":"/tmp/a.sql",)"
            R"("line":7,"column":28})");
}

TEST(Problem, QuotesNothingThatIsNoUtf8) {
  auto response =
      Problem(Error(ErrorKind::kInvalidArgument, "HR2001", "bad \xff\xfe text \""), 400);
  EXPECT_NE(response.body.find(R"("detail":"bad ?? text \"")"), std::string::npos);
}

TEST(Problem, EveryKindHasItsStatus) {
  auto status = [](ErrorKind kind) { return StatusOf(Error(kind, "HR9999", "")); };
  EXPECT_EQ(status(ErrorKind::kInvalidArgument), 400);
  EXPECT_EQ(status(ErrorKind::kNotFound), 404);
  EXPECT_EQ(status(ErrorKind::kAlreadyExists), 409);
  EXPECT_EQ(status(ErrorKind::kConflict), 409);
  EXPECT_EQ(status(ErrorKind::kLimitExceeded), 429);
  EXPECT_EQ(status(ErrorKind::kUnavailable), 503);
  EXPECT_EQ(status(ErrorKind::kIo), 503);
  EXPECT_EQ(status(ErrorKind::kNoSpace), 503);
  EXPECT_EQ(status(ErrorKind::kTimeout), 504);
  EXPECT_EQ(status(ErrorKind::kCorruption), 500);
  EXPECT_EQ(status(ErrorKind::kInternal), 500);
}

}  // namespace
}  // namespace headrace::serve
