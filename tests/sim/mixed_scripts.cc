// The statements of a mixed run beside those of its workload.

#include "mixed_run.h"

namespace headrace::sim {
namespace {

std::string Seconds(int64_t micros) {
  return "INTERVAL '" + std::to_string(micros / kSecond) + " seconds'";
}

}  // namespace

std::string TicksScript() {
  return "CREATE STREAM ticks (n BIGINT NOT NULL, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS "
         "ts)\n"
         "  DEDUPLICATE BY (n) WITHIN INTERVAL '1 day' WITH (timestamp_unit = 'us');\n"
         "CREATE STREAM tick_sums AS SELECT n, ts, count(*) OVER m AS c, sum(n) OVER m AS s\n"
         "FROM ticks WINDOW m AS (ORDER BY ts RANGE BETWEEN " +
         Seconds(20 * kSecond) +
         " PRECEDING AND CURRENT ROW);\n"
         "CREATE MATERIALIZED VIEW tick_windows AS SELECT window_start, count(*) AS n, sum(n) AS "
         "s\n"
         "FROM TUMBLE(TABLE ticks, DESCRIPTOR(ts), " +
         Seconds(15 * kSecond) + ") GROUP BY window_start;\n";
}

std::string ReplacedScript(int revision) {
  const std::string create =
      revision == 1 ? "CREATE STREAM replaced AS SELECT id, k, ts, count(*) OVER m AS n"
                    : "CREATE OR REPLACE STREAM replaced AS SELECT id, k, ts, count(*) OVER m AS n";
  const std::string more = revision == 1 ? "" : ", sum(v) OVER m AS total, max(q) OVER m AS hi";
  std::string script =
      create + more + " FROM events WINDOW m AS (PARTITION BY k ORDER BY ts RANGE BETWEEN " +
      Seconds((revision == kRevisions ? 90 : 30) * kSecond) + " PRECEDING AND CURRENT ROW);\n";
  // Reads what the replacement brings.
  if (revision == 2) script += "CREATE STREAM reads_new AS SELECT id, total, hi FROM replaced;\n";
  if (revision > 1) return script;
  return script +
         "CREATE MATERIALIZED VIEW of_replaced AS SELECT window_start, count(*) AS c, sum(n) AS n\n"
         "FROM TUMBLE(TABLE replaced, DESCRIPTOR(ts), " +
         Seconds(20 * kSecond) + ") GROUP BY window_start;\n";
}

// Neither refuses a row: whose a dead letter was is told by when it was dropped.
std::string PassingScript() {
  return "CREATE STREAM passing AS SELECT id, k, ts, count(*) OVER (PARTITION BY k ORDER BY ts "
         "RANGE BETWEEN " +
         Seconds(25 * kSecond) +
         " PRECEDING AND CURRENT ROW) AS n FROM events LATE ROWS DROP;\n"
         "CREATE MATERIALIZED VIEW of_passing AS SELECT window_start, count(*) AS c, sum(n) AS n\n"
         "FROM TUMBLE(TABLE passing, DESCRIPTOR(ts), " +
         Seconds(20 * kSecond) + ") GROUP BY window_start LATE ROWS DROP;\n";
}

const std::set<std::string>& TickStreams() {
  static const std::set<std::string> streams = {"ticks", "tick_sums", "tick_windows"};
  return streams;
}

const std::set<std::string>& ReplacedStreams() {
  static const std::set<std::string> streams = {"replaced", "of_replaced", "reads_new"};
  return streams;
}

const std::set<std::string>& PassingStreams() {
  static const std::set<std::string> streams = {"passing", "of_passing"};
  return streams;
}

}  // namespace headrace::sim
