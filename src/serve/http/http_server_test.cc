#include "serve/http/http_server.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/metrics.h"
#include "os/clock.h"
#include "serve/http/fake_engine_for_test.h"
#include "serve/http/http_client_for_test.h"

namespace headrace::serve {
namespace {

constexpr const char* kEvents = "/api/v1/topics/payments/events";
constexpr const char* kDecide = "/api/v1/topics/payments/events?return=decisions";

class HttpServerTest : public testing::Test {
 protected:
  ~HttpServerTest() override { Stop(); }

  uint16_t Serve() {
    options_.port = 0;
    auto server = HttpServer::Start(engine_, metrics_, clock_, options_);
    EXPECT_TRUE(server.ok());
    server_ = std::move(server).value();
    loop_ = std::thread([this] { server_->Run(); });
    return server_->port();
  }
  void Stop() {
    if (!loop_.joinable()) return;
    server_->RequestStop();
    loop_.join();
  }

  os::SystemClock clock_;
  base::MetricsRegistry metrics_;
  FakeEngine engine_;
  HttpOptions options_;
  std::unique_ptr<HttpServer> server_;
  std::thread loop_;
};

TEST_F(HttpServerTest, ADecisionComesBackInTheAnswer) {
  HttpClient client(Serve());
  auto response = client.Post(kDecide, R"({"card":"c1"})", "Content-Type: application/json\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"accepted":1,"rejected":[],"partition":0,"first_offset":0,)"
                           R"("rows":[{"_id":"decisions:0:0","n":0}]})");
  EXPECT_NE(response.head.find("Content-Type: application/json\r\n"), std::string::npos);
}

TEST_F(HttpServerTest, EventsAreTrimmedByDelete) {
  HttpClient client(Serve());
  const auto trim = [&](const std::string& rest) {
    client.Send("DELETE /api/v1/topics/" + rest + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return client.Read();
  };
  auto told = trim("payments/events?before_offset=7&partition=1");
  EXPECT_EQ(told.status, 200);
  EXPECT_EQ(told.body, R"({"topic":"payments"})");
  EXPECT_EQ(trim("payments/events?before_time=2026-01-01T00:00:00.0001Z").status, 200);
  EXPECT_EQ(trim("nothing/events?before_offset=7").status, 404);
  for (const char* parameters :
       {"", "?before_offset=1&before_time=2026-01-01T00:00:00Z", "?before_offset=-1",
        "?before_time=yesterday", "?before_offset=1&partition=x", "?before_offset=1&atomic=true"}) {
    auto refused = trim(std::string("payments/events") + parameters);
    EXPECT_EQ(refused.status, 400) << parameters;
    EXPECT_NE(refused.body.find("HR8006"), std::string::npos) << refused.body;
  }
  auto put = client.Get(kEvents);
  EXPECT_EQ(put.status, 405);
  EXPECT_NE(put.head.find("Allow: POST, DELETE\r\n"), std::string::npos) << put.head;
  Stop();
  ASSERT_EQ(engine_.trims.size(), 2U);
  EXPECT_EQ(engine_.trims[0].before_offset, 7);
  EXPECT_EQ(engine_.trims[0].partition, 1);
  EXPECT_EQ(engine_.trims[1].before_ms, 1'767'225'600'001);
  EXPECT_EQ(engine_.trims[1].partition, -1);
}

TEST_F(HttpServerTest, WhileTheEngineRecoversItSaysHowFarAndTakesNothing) {
  engine_.is_starting = true;
  HttpClient client(Serve());
  for (const char* path : {"/readyz", "/startupz", "/api/v1/streams", "/api/v1/decisions/a:0:0"}) {
    auto response = client.Get(path);
    EXPECT_EQ(response.status, 503) << path;
    EXPECT_NE(response.body.find(R"("code":"HR8075")"), std::string::npos) << response.body;
    EXPECT_NE(response.body.find(R"("phase":"replaying","events":300,"events_total":1200,)"
                                 R"("percent":25.0,"seconds":2.5,"seconds_left":6.0})"),
              std::string::npos)
        << response.body;
  }
  EXPECT_EQ(client.Post(kDecide, R"({"card":"c1"})").status, 503);
  EXPECT_EQ(client.Post("/api/v1/sql", R"({"sql":"CREATE"})").status, 503);
  for (const char* path : {"/livez", "/metrics", "/"})
    EXPECT_EQ(client.Get(path).status, 200) << path;
  engine_.is_starting = false;
  bool first = false;
  server_->Recovered([&] { first = engine_.taken.empty(); });
  while (client.Get("/readyz").status != 200) {
  }
  EXPECT_EQ(client.Get("/startupz").status, 200);
  EXPECT_EQ(client.Post(kDecide, R"({"card":"c1"})").status, 200);
  Stop();
  EXPECT_TRUE(first);
  EXPECT_FALSE(engine_.recovery_stopped);
}

TEST_F(HttpServerTest, AHaltedStreamLeavesItReadyAndIsTold) {
  engine_.halted_streams = {{"a", 7, "a:0:3: \"no\""}, {"b", 7, "the same"}};
  HttpClient client(Serve());
  auto response = client.Get("/readyz");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body,
            R"({"status":"degraded","halted":[{"stream":"a","lsn":7,"why":"a:0:3: \"no\""},)"
            R"({"stream":"b","lsn":7,"why":"the same"}]})");
  EXPECT_EQ(client.Get("/livez").body, R"({"status":"ok"})");
}

TEST_F(HttpServerTest, AStopEndsTheRecovery) {
  engine_.is_starting = true;
  Serve();
  Stop();
  EXPECT_TRUE(engine_.recovery_stopped);
}

TEST_F(HttpServerTest, WithoutReturnThereAreNoRows) {
  HttpClient client(Serve());
  auto response = client.Post(kEvents, R"({"card":"c1"})");
  EXPECT_EQ(response.body, R"({"accepted":1,"rejected":[],"partition":0,"first_offset":0})");
}

TEST_F(HttpServerTest, TheGoodOnesOfAnArrayAreTakenAndTheBadOnesNamed) {
  HttpClient client(Serve());
  auto response = client.Post(kDecide, R"([{"a":1},7,{"nonsense":1},{"a":2}])");
  EXPECT_EQ(response.status, 200);
  EXPECT_NE(response.body.find(R"("accepted":2)"), std::string::npos);
  EXPECT_NE(response.body.find(R"({"index":1,"code":"HR8012")"), std::string::npos);
  EXPECT_NE(response.body.find(R"({"index":2,"code":"HR4001")"), std::string::npos);
  EXPECT_NE(response.body.find(R"("pointer":"/card")"), std::string::npos);
  Stop();
  EXPECT_EQ(engine_.taken, (std::vector<std::string>{R"({"a":1})", R"({"a":2})"}));
}

TEST_F(HttpServerTest, AtomicTakesAllOrNone) {
  HttpClient client(Serve());
  auto response = client.Post(std::string(kEvents) + "?atomic=true", R"([{"a":1},{"nonsense":1}])");
  EXPECT_EQ(response.status, 422);
  EXPECT_NE(response.body.find(R"("accepted":0,"rejected":[{"index":1)"), std::string::npos);
  EXPECT_EQ(client.Post(std::string(kEvents) + "?atomic=true", R"([{"a":1},8])").status, 422);
  Stop();
  EXPECT_TRUE(engine_.taken.empty());
}

TEST_F(HttpServerTest, EveryFormOfCloudEventsIsTaken) {
  HttpClient client(Serve());
  std::string envelope =
      R"({"specversion":"1.0","type":"t","source":"/s","id":"1","data":{"card":"c"}})";
  EXPECT_EQ(client
                .Post(kDecide, R"({"card":"b"})",
                      "ce-specversion: 1.0\r\nce-type: t\r\nce-source: /s\r\nce-id: 1\r\n"
                      "Content-Type: application/json\r\n")
                .status,
            200);
  EXPECT_EQ(client.Post(kDecide, envelope, "Content-Type: application/cloudevents+json\r\n").status,
            200);
  EXPECT_EQ(client
                .Post(kDecide, "[" + envelope + "," + envelope + "]",
                      "Content-Type: application/cloudevents-batch+json; charset=utf-8\r\n")
                .status,
            200);
  Stop();
  EXPECT_EQ(engine_.taken, (std::vector<std::string>{R"({"card":"b"})", R"({"card":"c"})",
                                                     R"({"card":"c"})", R"({"card":"c"})"}));
}

TEST_F(HttpServerTest, EachRefusalHasItsStatusAndACode) {
  struct Case {
    const char* method;
    const char* target;
    const char* body;
    int status;
  };
  const Case cases[] = {
      {"POST", kEvents, "{", 400},
      {"POST", kEvents, "", 400},
      {"POST", kEvents, "\xff\xfe", 400},
      {"POST", kEvents, R"({"nonsense":1})", 422},
      {"POST", kEvents, "7", 422},
      {"POST", "/api/v1/topics/nosuch/events", "{}", 404},
      {"POST", "/api/v1/topics/nosuch/events", "[]", 404},
      {"POST", "/api/v1/topics/full/events", "{}", 429},
      {"POST", "/api/v1/topics/failed/events", "{}", 503},
      {"POST", "/api/v1/topics/payments/events?atomic=maybe", "{}", 400},
      {"POST", "/api/v1/topics/payments/events?retrun=x", "{}", 400},
      {"POST", "/api/v1/topics/payments/events?return=", "{}", 400},
      {"PUT", kEvents, "{}", 405},
      {"POST", "/livez", "", 405},
      {"GET", "/api/v1/sql", "", 405},
      {"GET", "/nosuch", "", 404},
      {"GET", "/api/v1/topics//events", "", 404},
      {"GET", "/api/v1/streams/../../etc/passwd/rows", "", 400},
      {"GET", "/%2e%2e/%2e%2e/etc/passwd", "", 400},
      {"GET", "/api/v1/streams/decisions/rows?from=-1", "", 400},
      {"GET", "/api/v1/streams/decisions/rows?from=99999999999999999999", "", 400},
      {"GET", "/api/v1/streams/decisions/rows?limit=1x", "", 400},
      {"GET", "/api/v1/streams/decisions/rows?partition=9999999999", "", 400},
      {"GET", "/api/v1/streams/nosuch/rows", "", 404},
      {"GET", "/api/v1/views/nosuch", "", 404},
      {"GET", "/api/v1/decisions/decisions:0:-5", "", 400},
      {"GET", "/api/v1/decisions/decisions:0:7", "", 404},
      {"POST", "/api/v1/sql", R"({"sql":"broken"})", 400},
      {"POST", "/api/v1/sql", R"({"sql":7})", 400},
      {"POST", "/api/v1/sql", R"({})", 400},
      {"POST", "/api/v1/sql", R"({"sql":"CREATE broken"})", 400},
  };
  HttpClient client(Serve());
  for (const Case& c : cases) {
    client.Send(std::string(c.method) + " " + c.target + " HTTP/1.1\r\nHost: x\r\n" +
                "Content-Length: " + std::to_string(std::string(c.body).size()) + "\r\n\r\n" +
                c.body);
    auto response = client.Read();
    EXPECT_EQ(response.status, c.status) << c.method << " " << c.target << " " << c.body;
    EXPECT_NE(response.body.find("\"code\":\"HR"), std::string::npos) << c.target;
    EXPECT_NE(response.head.find("application/problem+json"), std::string::npos) << c.target;
    bool waits = response.head.find("Retry-After: ") != std::string::npos;
    EXPECT_EQ(waits, c.status == 429 || c.status == 503) << c.target;
  }
}

TEST_F(HttpServerTest, ASqlErrorTellsLineAndColumn) {
  HttpClient client(Serve());
  auto response = client.Post("/api/v1/sql", R"({"sql":"SELECT\nbroken"})");
  EXPECT_NE(response.body.find(R"("line":2,"column":8)"), std::string::npos) << response.body;
}

TEST_F(HttpServerTest, QueriesAnswerAndDefinitionsRunOnTheWorker) {
  HttpClient client(Serve());
  EXPECT_EQ(client.Post("/api/v1/sql", R"j({"sql":"SELECT count(*)"})j").body,
            R"({"columns":[{"name":"count","type":"bigint"}],"rows":[[0]]})");
  EXPECT_EQ(client.Post("/api/v1/sql", R"({"sql":"CREATE STREAM \u0061"})").status, 200);
  Stop();
  EXPECT_EQ(engine_.executed, std::vector<std::string>{"CREATE STREAM a"});
}

TEST_F(HttpServerTest, EventsGoOnWhileADeploymentIsComputedAndAnEndGivesItUp) {
  engine_.hold_deployments = true;
  HttpClient client(Serve());
  client.Send(HttpClient::PostText("/api/v1/sql", R"({"sql":"CREATE STREAM a"})"));
  HttpClient other(server_->port());
  EXPECT_EQ(other.Post(kDecide, "{}").status, 200);
  server_->RequestStop();
  auto response = client.Read();
  EXPECT_EQ(response.status, 503);
  EXPECT_NE(response.body.find("HR5001"), std::string::npos) << response.body;
  loop_.join();
}

TEST_F(HttpServerTest, HealthFollowsTheEngine) {
  HttpClient client(Serve());
  for (const char* path : {"/livez", "/readyz", "/startupz", "/", "/api/v1/streams"}) {
    EXPECT_EQ(client.Get(path).status, 200) << path;
  }
  engine_.is_ready = false;
  EXPECT_EQ(client.Get("/livez").status, 200);
  EXPECT_EQ(client.Get("/readyz").status, 503);
}

TEST_F(HttpServerTest, MetricsCountWhatWasDone) {
  HttpClient client(Serve());
  client.Post(kDecide, R"([{"a":1},{"a":2}])");
  std::string text = client.Get("/metrics").body;
  for (const char* line :
       {"headrace_build_info{version=\"0.1.0\"} 1",
        "headrace_events_received_total{component=\"http\",topic=\"payments\"} 2",
        "headrace_decision_duration_seconds_count 1", "process_resident_memory_bytes ",
        "headrace_http_requests_total{code=\"200\",method=\"POST\",path=\"/api/v1/topics/{topic}/"
        "events\"} 1"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
}

TEST_F(HttpServerTest, RowsComeInPagesAndWithIdsWhenAsked) {
  options_.limits.page_rows = 2;
  HttpClient client(Serve());
  client.Post(kEvents, "[{},{},{},{},{}]");
  const std::string rows = "/api/v1/streams/decisions/rows";
  EXPECT_EQ(client.Get(rows).body, "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n");
  EXPECT_EQ(client.Get(rows + "?from=1&limit=3").body, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
  EXPECT_EQ(client.Get(rows + "?partition=0&limit=3").body, "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n");
  EXPECT_EQ(client.Get(rows + "?from=4&ids=true").body, "{\"_id\":\"decisions:0:4\",\"n\":4}\n");
  EXPECT_EQ(client.Get(rows + "?from=5").body, "");
  EXPECT_EQ(client.Get(rows + "?from=latest&limit=2").body, "{\"n\":3}\n{\"n\":4}\n");
  EXPECT_EQ(client.Get(rows + "?from=latest&limit=3").status, 400);
}

TEST_F(HttpServerTest, AFollowerGetsWhatBecomesDurableLater) {
  uint16_t port = Serve();
  HttpClient writer(port);
  writer.Post(kEvents, "{}");
  HttpClient follower(port);
  follower.Send(
      "GET /api/v1/streams/decisions/rows?from=earliest HTTP/1.1\r\nHost: x\r\n"
      "Accept: text/event-stream\r\n\r\n");
  EXPECT_NE(follower.ReadThrough("\r\n\r\n").find("text/event-stream"), std::string::npos);
  EXPECT_EQ(follower.ReadChunk(), "data: {\"n\":0}\n\n");
  writer.Post(kEvents, "{}");
  EXPECT_EQ(follower.ReadChunk(), "data: {\"n\":1}\n\n");
  HttpClient late(port);
  late.Send("GET /api/v1/streams/decisions/rows?follow=true&limit=1 HTTP/1.1\r\nHost: x\r\n\r\n");
  late.ReadThrough("\r\n\r\n");
  writer.Post(kEvents, "{}");
  EXPECT_EQ(late.ReadChunk(), "{\"n\":2}\n");
  EXPECT_EQ(late.ReadChunk(), "");
  EXPECT_EQ(follower.ReadChunk(), "data: {\"n\":2}\n\n");
  Stop();
  EXPECT_EQ(follower.ReadChunk(), "");
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  engine_.hold = true;
  HttpClient client(Serve());
  std::string requests;
  for (int i = 0; i < 10; ++i)
    requests += HttpClient::PostText(kDecide, "{}");
  requests += "GET /api/v1/streams/decisions/rows?from=9 HTTP/1.1\r\nHost: x\r\n\r\n";
  requests += HttpClient::PostText(kDecide, "{");
  client.Send(requests);
  HttpClient other(server_->port());
  EXPECT_EQ(other.Get("/livez").status, 200);
  EXPECT_EQ(engine_.reads, 0);
  engine_.Release();
  for (int i = 0; i < 10; ++i) {
    std::string id = "decisions:0:" + std::to_string(i) + "\"";
    EXPECT_NE(client.Read().body.find(id), std::string::npos) << i;
  }
  EXPECT_EQ(client.Read().body, "{\"n\":9}\n");
  EXPECT_EQ(client.Read().status, 400);
}

TEST_F(HttpServerTest, MoreRequestsThanThePipelineHoldsWaitInTheSocket) {
  options_.limits.pipeline_max = 2;
  HttpClient client(Serve());
  std::string requests;
  for (int i = 0; i < 50; ++i)
    requests += HttpClient::PostText(kDecide, "{}");
  client.Send(requests);
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(client.Read().status, 200) << i;
}

TEST_F(HttpServerTest, RequestsMayArriveByteByByte) {
  HttpClient client(Serve());
  std::string request = HttpClient::PostText(kDecide, R"({"card":"c1"})");
  for (int i = 0; i < 2; ++i) {
    for (char c : request)
      client.Send({&c, 1});
    EXPECT_EQ(client.Read().status, 200);
  }
}

TEST_F(HttpServerTest, ChunkedBodiesAndContinueAreUnderstood) {
  HttpClient client(Serve());
  client.Send(std::string("POST ") + kDecide + " HTTP/1.1\r\nHost: x\r\n" +
              "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.Read(false).status, 100);
  client.Send("1\r\n{\r\n1\r\n}\r\n0\r\n\r\n");
  EXPECT_EQ(client.Read().status, 200);
}

TEST_F(HttpServerTest, ChunkedBodiesMayArriveByteByByte) {
  HttpClient client(Serve());
  const std::string head =
      std::string("POST ") + kDecide + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* body :
       {"2;x=y\r\n{}\r\n0\r\n\r\n", "0\r\n\r\n", "1\r\n{\r\n1\r\n}\r\n0\r\nt: v\r\n\r\n"}) {
    for (char c : head + body)
      client.Send({&c, 1});
    EXPECT_EQ(client.Read().status, body[0] == '0' ? 400 : 200) << body;
  }
}

TEST_F(HttpServerTest, HeadHasTheLengthAndNoBody) {
  HttpClient client(Serve());
  client.Send("HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n");
  auto response = client.Read(false);
  EXPECT_EQ(response.status, 200);
  EXPECT_NE(response.head.find("Content-Length: 15\r\n"), std::string::npos);
  EXPECT_EQ(client.Get("/livez").status, 200);
}

TEST_F(HttpServerTest, HostileRequestsAreRefusedAndTheConnectionClosed) {
  options_.limits.header_fields_max = 50;
  uint16_t port = Serve();
  const std::string post = std::string("POST ") + kEvents + " HTTP/1.1\r\nHost: x\r\n";
  std::string fields;
  for (int i = 0; i < 60; ++i)
    fields += "h" + std::to_string(i) + ": v\r\n";
  const std::pair<std::string, int> cases[] = {
      {post + "Content-Length: 99999999999\r\n\r\n{", 413},
      {post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}{}{}", 400},
      {post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {post + "Content-Length: -1\r\n\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n", 413},
      {post + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\n0;" + std::string(200'000, 'a'), 431},
      {post + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + std::string(200'000, 'a'), 431},
      {"GET /" + std::string(200'000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n", 431},
      {"GET / HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n", 431},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/3.7\r\nHost: x\r\n\r\n", 400},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
      {"\x16\x03\x01\x02 \x01 \x01\x16\x03\x01\x02", 400},
  };
  for (const auto& [request, status] : cases) {
    HttpClient client(port);
    client.Send(request);
    EXPECT_EQ(client.Read().status, status) << request.substr(0, 120);
    EXPECT_TRUE(client.AtEnd()) << request.substr(0, 120);
  }
  EXPECT_EQ(HttpClient(port).Get("/livez").status, 200);
}

TEST_F(HttpServerTest, ASlowRequestTimesOutAndAnIdleClientIsDropped) {
  options_.limits.read_ms = 40;
  options_.limits.idle_ms = 60;
  uint16_t port = Serve();
  HttpClient slow(port);
  slow.Send(std::string("POST ") + kEvents + " HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{");
  EXPECT_EQ(slow.Read().status, 408);
  EXPECT_TRUE(slow.AtEnd());
  HttpClient idle(port);
  EXPECT_EQ(idle.Get("/livez").status, 200);
  EXPECT_TRUE(idle.AtEnd());
}

TEST_F(HttpServerTest, ConnectionsBeyondTheLimitAreTold) {
  options_.limits.connections_max = 3;
  uint16_t port = Serve();
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<HttpClient>(port));
    EXPECT_EQ(clients.back()->Get("/livez").status, 200);
  }
  HttpClient one_more(port);
  auto response = one_more.Read();
  EXPECT_EQ(response.status, 503);
  EXPECT_NE(response.head.find("Retry-After"), std::string::npos);
}

TEST_F(HttpServerTest, StoppingAnswersWhatIsInFlight) {
  engine_.hold = true;
  uint16_t port = Serve();
  HttpClient idle(port);
  EXPECT_EQ(idle.Get("/livez").status, 200);
  HttpClient client(port);
  client.Send(HttpClient::PostText(kDecide, "{}") + "GET /li");
  HttpClient half(port);
  EXPECT_EQ(half.Get("/livez").status, 200);
  server_->RequestStop();
  EXPECT_TRUE(idle.AtEnd());
  engine_.Release();
  EXPECT_EQ(client.Read().status, 200);
  client.Send("vez HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.Read().status, 200);
  EXPECT_TRUE(client.AtEnd());
  loop_.join();
}

TEST_F(HttpServerTest, AClientThatEndsItsSideStillGetsItsAnswer) {
  engine_.hold = true;
  HttpClient client(Serve());
  client.Send(HttpClient::PostText(kDecide, "{}"));
  client.FinishSending();
  EXPECT_EQ(HttpClient(server_->port()).Get("/livez").status, 200);
  engine_.Release();
  EXPECT_EQ(client.Read().status, 200);
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(HttpServerTest, PagesOfOtherOriginsAreRefused) {
  HttpClient client(Serve());
  EXPECT_EQ(client.Post(kEvents, "{}", "Origin: http://evil.example\r\n").status, 403);
  EXPECT_EQ(client.Post(kEvents, "{}", "Origin: http://localhost\r\n").status, 200);
}

TEST_F(HttpServerTest, NineHundredIdleConnectionsDoNoHarm) {
  uint16_t port = Serve();
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < 900; ++i) {
    clients.push_back(std::make_unique<HttpClient>(port));
    if (!clients.back()->connected()) break;
  }
  if (clients.size() < 900) GTEST_SKIP() << "skipped: too few open files allowed";
  EXPECT_EQ(clients.front()->Get("/livez").status, 200);
  EXPECT_EQ(clients.back()->Post(kDecide, "{}").status, 200);
}

TEST(HttpServerStart, RefusesAddressesBeyondLoopbackAndNonsense) {
  os::SystemClock clock;
  base::MetricsRegistry metrics;
  FakeEngine engine;
  for (const char* address : {"0.0.0.0", "::", "nonsense", ""}) {
    HttpOptions options;
    options.address = address;
    options.port = 0;
    auto server = HttpServer::Start(engine, metrics, clock, options);
    ASSERT_FALSE(server.ok()) << address;
    EXPECT_EQ(server.error().code(), "HR8015");
  }
}

}  // namespace
}  // namespace headrace::serve
