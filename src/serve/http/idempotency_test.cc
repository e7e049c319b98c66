#include "serve/http/idempotency.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/metrics.h"
#include "engine/engine.h"
#include "os/clock.h"
#include "os/memory_file_system.h"
#include "serve/http/http_client_for_test.h"
#include "serve/http/http_server.h"

namespace headrace::serve {
namespace {

Result<std::optional<std::string>> KeyIn(const std::vector<Header>& headers) {
  return IdempotencyKeyOf(headers);
}

TEST(IdempotencyKey, IsAStringOfStructuredFieldsOrBare) {
  EXPECT_FALSE(KeyIn({{"Host", "x"}})->has_value());
  EXPECT_EQ("8e03978e-40d5", **KeyIn({{"Idempotency-Key", "8e03978e-40d5"}}));
  EXPECT_EQ("8e03978e-40d5", **KeyIn({{"idempotency-key", "\"8e03978e-40d5\""}}));
  EXPECT_EQ("a\"b\\c", **KeyIn({{"Idempotency-Key", R"("a\"b\\c")"}}));
  const std::string longest(255, 'k');
  EXPECT_EQ(longest, **KeyIn({{"Idempotency-Key", longest}}));
}

TEST(IdempotencyKey, ThatIsNoneIsRefused) {
  const std::string too_long(256, 'k');
  for (std::string_view value : {"", "\"\"", "\"open", "\"a\"b", "\"a\\", "\"a\\n\"", "two words",
                                 "caf\xc3\xa9", too_long.c_str()}) {
    EXPECT_EQ("HR8016", KeyIn({{"Idempotency-Key", value}}).error().code()) << value;
  }
  EXPECT_EQ("HR8016", KeyIn({{"Idempotency-Key", "a"}, {"Idempotency-Key", "a"}}).error().code());
}

TEST(Fingerprint, IsOfBodyMediaTypeAndParameters) {
  auto of = [](const std::string& target, const std::string& type, const std::string& body) {
    const std::vector<Header> headers{{"Content-Type", type}, {"Host", "x"}};
    return FingerprintOf(ParseRoute(target).value(), headers, body);
  };
  const std::string target = "/api/v1/topics/t/events?return=o&atomic=true";
  const uint64_t first = of(target, "application/json", "{}");
  EXPECT_EQ(first, of(target, "Application/JSON; charset=utf-8", "{}"));
  EXPECT_EQ(first, of("/api/v1/topics/t/events?atomic=true&return=o", "application/json", "{}"));
  EXPECT_NE(first, of(target, "application/json", "{ }"));
  EXPECT_NE(first, of(target, "application/x-ndjson", "{}"));
  EXPECT_NE(first, of("/api/v1/topics/t/events?return=o", "application/json", "{}"));
  EXPECT_NE(first, of("/api/v1/topics/t/events?return=p&atomic=true", "application/json", "{}"));
}

// The whole way: a server on an engine that is started again in between.
class IdempotentPosts : public testing::Test {
 protected:
  static constexpr const char* kPost = "/api/v1/topics/s/events?return=o";

  void Start() {
    engine::EngineOptions options;
    options.directory = "/data";
    options.log.journal_file_bytes = 1 << 20;
    options.waits_for_log = false;
    metrics_ = std::make_unique<base::MetricsRegistry>();
    engine_ = engine::Engine::Open(disk_, clock_, *metrics_, options, nullptr).value();
    engine_
        ->Execute("CREATE STREAM s (id BIGINT NOT NULL);\nCREATE STREAM o AS SELECT id FROM s;",
                  "app.sql")
        .value();
    HttpOptions http;
    http.port = 0;
    server_ = HttpServer::Start(*engine_, *metrics_, clock_, http).value();
    loop_ = std::thread([this] { server_->Run(); });
  }
  void Stop() {
    server_->RequestStop();
    loop_.join();
    server_.reset();
    engine_->Close().value();
    engine_.reset();
  }
  ClientResponse Post(const std::string& body, const std::string& key) {
    HttpClient client(server_->port());
    return client.Post(kPost, body, "Idempotency-Key: " + key + "\r\n");
  }

  os::MemoryFileSystem disk_;
  os::SystemClock clock_;
  std::unique_ptr<base::MetricsRegistry> metrics_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<HttpServer> server_;
  std::thread loop_;
};

bool IsReplayed(const ClientResponse& response) {
  return response.head.find("\r\nIdempotent-Replayed: true\r\n") != std::string::npos;
}

TEST_F(IdempotentPosts, AreAnsweredAgainAlsoAfterARestart) {
  const std::string body = R"([{"id":1},7,{"no":1},{"id":2}])";
  Start();
  const ClientResponse first = Post(body, "\"k-1\"");
  EXPECT_EQ(200, first.status);
  EXPECT_NE(std::string::npos, first.body.find(R"("rows":[{"_id":"o:0:0","id":1},)")) << first.body;
  EXPECT_FALSE(IsReplayed(first));
  for (bool restarted : {false, true}) {
    if (restarted) {
      Stop();
      Start();
    }
    const ClientResponse again = Post(body, "k-1");
    EXPECT_EQ(first.status, again.status);
    EXPECT_EQ(first.body, again.body);
    EXPECT_TRUE(IsReplayed(again));
    const ClientResponse other = Post(R"([{"id":3}])", "k-1");
    EXPECT_EQ(422, other.status);
    EXPECT_NE(std::string::npos, other.body.find("\"HR5004\"")) << other.body;
  }
  EXPECT_EQ(400, Post(body, "\"").status);
  HttpClient client(server_->port());
  const std::string metrics = client.Get("/metrics").body;
  EXPECT_NE(std::string::npos, metrics.find("headrace_idempotent_repeats_total 1\n"));
  EXPECT_EQ(std::string::npos, metrics.find("headrace_events_received_total{")) << "none were new";
  EXPECT_EQ(R"({"columns":[{"name":"n","type":"bigint"}],"rows":[[2]]})",
            client.Post("/api/v1/sql", R"j({"sql":"SELECT count(*) AS n FROM s"})j").body);
  Stop();
}

TEST_F(IdempotentPosts, OfOneBadEventMayBeMended) {
  Start();
  EXPECT_EQ(422, Post(R"({"no":1})", "k").status);
  EXPECT_EQ(200, Post(R"({"id":1})", "k").status);
  EXPECT_TRUE(IsReplayed(Post(R"({"id":1})", "k")));
  Stop();
}

}  // namespace
}  // namespace headrace::serve
