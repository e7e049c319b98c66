// A program that decides about payments without a server: every line of its input is an event,
// every line of its output a decision, which is on disk by then.
//
//   decide DIRECTORY < payments.jsonl

#include <iostream>
#include <string>

#include <headrace/engine.h>

namespace {

constexpr const char* kStatements = R"(
CREATE STREAM payments (tx_id TEXT NOT NULL, card TEXT NOT NULL, amount DECIMAL(12,2),
                        ts TIMESTAMPTZ NOT NULL,
                        WATERMARK FOR ts AS ts - INTERVAL '5 seconds')
  DEDUPLICATE BY (tx_id) WITHIN INTERVAL '1 day';

CREATE STREAM decisions AS
SELECT tx_id, count(*) OVER h1 AS n_1h, sum(amount) OVER h1 AS sum_1h,
       CASE WHEN sum_1h > 1000 THEN 'review' ELSE 'approve' END AS decision
FROM payments
WINDOW h1 AS (PARTITION BY card ORDER BY ts
              RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW);
)";

headrace::Status Decide(const std::string& directory) {
  HR_ASSIGN(auto engine, headrace::Engine::Open(directory));
  HR_TRY(engine->Execute(kStatements, "decide"));
  for (std::string line; std::getline(std::cin, line);) {
    HR_ASSIGN(headrace::Answer answer, engine->Send("payments", {line}, "decisions"));
    for (const auto& refused : answer.refused)
      std::cerr << refused.error.ToString() << "\n";
    for (const std::string& row : answer.rows)
      std::cout << row << "\n";
  }
  return engine->Close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "decide DIRECTORY < payments.jsonl\n";
    return 2;
  }
  headrace::Status decided = Decide(argv[1]);
  if (decided.ok()) return 0;
  std::cerr << decided.error().ToString() << "\n";
  return 1;
}
