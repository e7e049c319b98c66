#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace headrace::serve {

// What a client may ask of the server at most. Milliseconds and bytes. Value type.
struct HttpLimits {
  size_t header_bytes_max = 16 << 10;  // request line and fields
  size_t header_fields_max = 100;
  size_t body_bytes_max = 8 << 20;
  size_t bodies_bytes_max = 256 << 20;  // received and not yet handed on, over all connections
  size_t events_per_request_max = 65'536;
  size_t connections_max = 4096;
  size_t pipeline_max = 64;   // requests of one connection taken and not yet answered
  size_t queries_max = 64;    // queries running or waiting for a thread
  size_t followers_max = 64;  // answers that go on with `follow`
  size_t page_rows = 65'536;  // rows of one read; longer answers are sent page by page
  int64_t read_ms = 30'000;   // from the first byte of a request to its last
  int64_t idle_ms = 75'000;   // between requests
  int64_t write_ms = 30'000;  // without any progress of a reader
  int64_t linger_ms = 2'000;  // for a refused client to read its refusal
  int64_t stop_ms = 10'000;   // for answers in flight when asked to stop
  size_t query_threads = 2;
};

struct HttpOptions {
  std::string address = "127.0.0.1";  // an IP address or "localhost"
  uint16_t port = 7070;               // 0: any free one, see HttpServer::port()
  // There is no TLS and no authentication: anything but loopback is refused without this.
  bool dangerously_listen_beyond_loopback = false;
  // Where the files lie that a registry client may name as models; empty: anywhere on loopback, and
  // nowhere beyond it.
  std::string models_directory{};
  bool stop_on_signals = false;  // SIGINT and SIGTERM end Run
  std::string version = "0.1.0";
  HttpLimits limits{};
};

}  // namespace headrace::serve
