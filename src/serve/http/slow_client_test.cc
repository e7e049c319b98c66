// Clients that take their time, on a clock that only these tests move.

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/metrics.h"
#include "os/clock.h"
#include "serve/http/fake_engine_for_test.h"
#include "serve/http/http_client_for_test.h"
#include "serve/http/http_server.h"

namespace headrace::serve {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr const char* kEvents = "/api/v1/topics/payments/events";

class SlowClients : public testing::Test {
 protected:
  SlowClients() {
    options_.port = 0;
    // The server looks at deadlines a quarter of its shortest limit apart, in real time.
    options_.limits.linger_ms = 20;
    server_ = HttpServer::Start(engine_, metrics_, clock_, options_).value();
    loop_ = std::thread([this] { server_->Run(); });
  }
  ~SlowClients() override {
    server_->RequestStop();
    clock_.Advance(60 * kSecond);
    loop_.join();
  }

  // Sends the text one byte a second, until the server has answered or all is sent; meanwhile it
  // serves others. Returns the seconds it took.
  int Trickle(HttpClient& slow, const std::string& text) {
    HttpClient other(server_->port());
    for (size_t i = 0; i < text.size(); ++i) {
      slow.Send({&text[i], 1});
      // The byte is behind what the loop has seen once this is answered, or soon after.
      EXPECT_EQ(other.Get("/livez").status, 200);
      if (slow.HasAnswer()) return static_cast<int>(i);
      clock_.Advance(kSecond);
    }
    return static_cast<int>(text.size());
  }

  os::ManualClock clock_{1'800'000'000 * kSecond};
  base::MetricsRegistry metrics_;
  FakeEngine engine_;
  HttpOptions options_;
  std::unique_ptr<HttpServer> server_;
  std::thread loop_;
};

TEST_F(SlowClients, OfAByteASecondAreCutOffWhateverTheySend) {
  const std::string head = std::string("POST ") + kEvents + " HTTP/1.1\r\nHost: x\r\n";
  const std::string many(500, 'a');
  for (const std::string& text :
       {"GET /" + many, head + "h: " + many, head + "Content-Length: 500\r\n\r\n{" + many,
        head + "Transfer-Encoding: chunked\r\n\r\n5;" + many}) {
    HttpClient slow(server_->port());
    const size_t at_once = text.find(many);
    slow.Send(text.substr(0, at_once));
    const int seconds = Trickle(slow, text.substr(at_once));
    EXPECT_GE(seconds, 30) << text.substr(0, 40);
    EXPECT_EQ(slow.Read().status, 408) << text.substr(0, 40);
  }
}

TEST_F(SlowClients, ThatNeverAskAreCutOffToo) {
  HttpClient silent(server_->port());
  HttpClient other(server_->port());
  EXPECT_EQ(other.Get("/livez").status, 200);
  clock_.Advance(74 * kSecond);
  EXPECT_EQ(other.Get("/livez").status, 200);
  clock_.Advance(2 * kSecond);
  EXPECT_TRUE(silent.AtEnd());
}

// Bytes that come again and again do not begin the time anew, also when requests came before.
TEST_F(SlowClients, BehindAWholeRequestAreCutOffToo) {
  engine_.hold = true;
  HttpClient slow(server_->port());
  slow.Send(HttpClient::PostText(kEvents, "{}") + "GET /live");
  for (int i = 0; i < 40; ++i) {
    HttpClient other(server_->port());
    EXPECT_EQ(other.Get("/livez").status, 200);
    slow.Send("z");
    clock_.Advance(kSecond);
  }
  engine_.Release();
  EXPECT_EQ(slow.Read().status, 200);
  EXPECT_EQ(slow.Read().status, 408);
}

}  // namespace
}  // namespace headrace::serve
