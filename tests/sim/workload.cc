#include "workload.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "os/random.h"

namespace headrace::sim {
namespace {

constexpr int64_t kStart = 1'700'000'000 * kSecond;
constexpr int64_t kLatenessMax = 9000;  // seconds

// Draws the events of one workload.
class EventMaker {
 public:
  EventMaker(os::SeededRandom& random, Feed feed, int64_t far)
      : random_(random), feed_(feed), far_(far) {}

  Event Make() {
    if (!made_.empty() && OneIn(12)) return Repeat();
    time_ += Below(4) * kSecond + (OneIn(3) ? Below(kSecond) : 0);
    if (OneIn(60)) time_ += Below(300) * kSecond;
    Event event;
    event.id = "e" + std::to_string(number_++);
    if (!OneIn(9)) event.k = "key" + std::to_string(Below(5));
    if (!OneIn(9)) event.q = Below(12);
    if (!OneIn(9)) event.v = Below(100'000);
    if (!OneIn(9)) event.x = Below(64) - 16;
    event.ts = time_ - Lateness();
    event.json = Json(event);
    if (feed_ == Feed::kFile && OneIn(25)) Spoil(event);
    if (!event.unfit) made_.push_back(event);
    return event;
  }

 private:
  int64_t Below(int64_t bound) {
    return static_cast<int64_t>(random_.Below(static_cast<uint64_t>(bound)));
  }
  bool OneIn(int64_t n) { return Below(n) == 0; }

  // An earlier event again, sometimes at another time.
  Event Repeat() {
    size_t back = static_cast<size_t>(Below(std::min<int64_t>(40, std::ssize(made_)))) + 1;
    Event event = made_[made_.size() - back];
    if (feed_ == Feed::kFile && OneIn(2)) event.ts += (Below(6000) - 3000) * kSecond;
    event.ts = std::max(event.ts, time_ - kLatenessMax * kSecond);
    event.json = Json(event);
    return event;
  }

  int64_t Lateness() {
    if (OneIn(40)) return Below(feed_ == Feed::kFile ? kLatenessMax : 3500) * kSecond;
    return OneIn(4) ? Below(60) * kSecond : 0;
  }

  void Spoil(Event& event) {
    event.unfit = true;
    switch (Below(4)) {
      case 0:
        event.json = "{\"id\":\"" + event.id + "\",";
        break;
      case 1:
        event.json = "{\"k\":\"no id\",\"ts\":" + std::to_string(event.ts) + "}";
        break;
      case 2:
        event.v = -1;
        event.json = Json(event);
        break;
      default:
        event.ts = far_;
        event.json = Json(event);
    }
  }

  static std::string Json(const Event& event) {
    std::string json = "{\"id\":\"" + event.id + "\"";
    if (event.k) json += ",\"k\":\"" + *event.k + "\"";
    if (event.q) json += ",\"q\":" + std::to_string(*event.q);
    if (event.v && *event.v < 0) json += ",\"v\":-1";
    if (event.v && *event.v >= 0) json += ",\"v\":" + HundredthsText(*event.v);
    if (event.x) json += ",\"x\":" + std::to_string(*event.x * 25) + "e-2";
    return json + ",\"ts\":" + std::to_string(event.ts) + "}";
  }

  os::SeededRandom& random_;
  Feed feed_;
  int64_t far_;
  int64_t time_ = kStart;
  int64_t number_ = 0;
  std::vector<Event> made_;
};

std::string Seconds(int64_t micros) {
  return "INTERVAL '" + std::to_string(micros / kSecond) + " seconds'";
}

// Rows that wait, and what came too late for that.
std::string SortedScript(const Workload& w) {
  return "CREATE STREAM sorted AS SELECT id, k, ts, count(*) OVER m AS n, sum(v) OVER m AS s,\n"
         "  lag(q) OVER seen AS before FROM events WHERE q IS NULL OR q <> 2 WINDOW\n"
         "  m AS (PARTITION BY k ORDER BY ts RANGE BETWEEN " +
         Seconds(w.range) +
         " PRECEDING AND CURRENT ROW),\n  seen AS (PARTITION BY k ORDER BY ts)\n"
         "EMIT ON WATERMARK ALLOWED LATENESS " +
         Seconds(w.sorted_lateness) +
         " LATE ROWS SIDE OUTPUT TO missed;\n"
         "CREATE STREAM missed_some AS SELECT id, v, ts FROM missed WHERE q > 5;\n"
         "CREATE MATERIALIZED VIEW per_sorted AS SELECT window_start, count(*) AS n, sum(n) AS "
         "total\nFROM TUMBLE(TABLE sorted, DESCRIPTOR(ts), " +
         Seconds(w.tumble) + ") GROUP BY window_start;\n";
}

std::string FirstScript(const Workload& w) {
  std::string script =
      "CREATE STREAM events (id TEXT NOT NULL, k TEXT, q BIGINT, v DECIMAL(12,2) CHECK (v >= 0),\n"
      "  x DOUBLE PRECISION, ts TIMESTAMPTZ NOT NULL,\n  WATERMARK FOR ts AS ts - " +
      Seconds(w.delay) + ") PARTITION BY (k)";
  if (w.deduplicated) script += " DEDUPLICATE BY (id) WITHIN " + Seconds(w.dedup_within);
  script +=
      "\n  WITH (timestamp_unit = 'us', partitions = " + std::to_string(w.partitions) +
      (w.retention > 0 ? ", retention = '" + std::to_string(w.retention / kSecond) + " seconds'"
                       : "") +
      ");\n";
  script +=
      "CREATE STREAM enriched AS SELECT id, k, q, v, ts, count(*) OVER m AS n, sum(v) OVER m AS "
      "s,\n"
      "  max(q) OVER m AS hi, count(DISTINCT q) OVER m AS different, min(q) OVER last AS lo,\n"
      "  sum(x) OVER last AS sx, lag(q) OVER seen AS before, 100 / q AS inverse\n"
      "FROM events WINDOW\n  m AS (PARTITION BY k ORDER BY ts RANGE BETWEEN " +
      Seconds(w.range) +
      " PRECEDING AND CURRENT ROW),\n"
      "  last AS (PARTITION BY k ORDER BY ts ROWS BETWEEN " +
      std::to_string(w.rows) +
      " PRECEDING AND CURRENT ROW),\n  seen AS (PARTITION BY k ORDER BY ts);\n";
  script += "CREATE STREAM busy AS SELECT id, k, n, s, hi, ts FROM enriched WHERE n > 1;\n";
  script +=
      "CREATE STREAM written AS SELECT id, k, v, sx, ts, adwin(sx, 0.9, 1, 1, 1) AS moved,\n"
      "  adwin(v, 0.9, clock => 2) OVER (PARTITION BY k) AS moved_k FROM enriched;\n";
  script +=
      "CREATE MATERIALIZED VIEW per_window AS\n"
      "SELECT window_start, k, count(*) AS n, sum(n) AS total, max(hi) AS hi, sum(s) AS s\n"
      "FROM TUMBLE(TABLE busy, DESCRIPTOR(ts), " +
      Seconds(w.tumble) + ") GROUP BY window_start, k ALLOWED LATENESS " +
      Seconds(w.tumble_lateness) + (w.tumble_drops ? " LATE ROWS DROP;\n" : ";\n");
  script +=
      "CREATE MATERIALIZED VIEW sliding AS\n"
      "SELECT window_start, window_end, count(*) AS n, sum(q) AS q, min(v) AS v\n"
      "FROM HOP(TABLE events, DESCRIPTOR(ts), " +
      Seconds(w.hop_slide) + ", " + Seconds(w.hop_size) +
      ") WHERE q <> 1 GROUP BY window_start, window_end;\n";
  return script + SortedScript(w);
}

std::string LaterScript(const Workload& w) {
  return "CREATE STREAM later AS SELECT id, ts, count(*) OVER m AS n, 10 / (q - 7) AS inverse\n"
         "FROM events WINDOW m AS (PARTITION BY k ORDER BY ts RANGE BETWEEN " +
         Seconds(w.range) +
         " PRECEDING AND CURRENT ROW);\n"
         "CREATE MODEL m WITH (path = '" +
         kModelPaths[0] +
         "');\n"
         "CREATE STREAM scored AS SELECT id, PREDICT(m, q) AS p FROM events;\n"
         "CREATE STREAM fresh AS SELECT id, ts FROM events WHERE q > 3 START FROM NOW;\n"
         "CREATE MATERIALIZED VIEW later_windows AS SELECT window_start, count(*) AS n, sum(n) AS "
         "total\n"
         "FROM TUMBLE(TABLE later, DESCRIPTOR(ts), " +
         Seconds(w.tumble) + ") GROUP BY window_start LATE ROWS DROP;\n";
}

}  // namespace

std::string ModelText(size_t version) {
  auto score = [version](size_t leaf) {
    return std::to_string(kScores[version][leaf] * 25) + "e-2";
  };
  return "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
         "max_feature_idx=0\nobjective=regression\nfeature_names=q\nfeature_infos=[0:20]\n\n"
         "Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=5\ndecision_type=10\n"
         "left_child=-1\nright_child=-2\nleaf_value=" +
         score(0) + " " + score(1) +
         "\nleaf_count=5 5\ninternal_count=10\nis_linear=0\nshrinkage=1\n\n\nend of trees\n";
}

std::string HundredthsText(int64_t hundredths) {
  char text[32];
  std::snprintf(text, sizeof text, "%lld.%02lld", static_cast<long long>(hundredths / 100),
                static_cast<long long>(hundredths % 100));
  return text;
}

std::string TimeText(int64_t micros) {
  using namespace std::chrono;
  sys_time<microseconds> time{microseconds(micros)};
  auto day = floor<days>(time);
  year_month_day date(day);
  int64_t rest = duration_cast<microseconds>(time - day).count();
  auto second = static_cast<int>(rest / kSecond);
  auto fraction = static_cast<int>(rest % kSecond);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                second / 3600, second / 60 % 60, second % 60);
  std::string result = text;
  if (fraction != 0) {
    std::snprintf(text, sizeof text, ".%06d", fraction);
    result += text;
  }
  return result + "Z";
}

Workload MakeWorkload(uint64_t seed, Feed feed, int32_t partitions, size_t events,
                      int64_t retention) {
  os::SeededRandom random(seed * 2 + 1);
  auto among = [&](int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random.Below(static_cast<uint64_t>(high - low + 1)));
  };
  Workload w;
  w.seed = seed;
  w.partitions = partitions;
  w.retention = retention;
  w.deduplicated = feed == Feed::kRequests || among(0, 3) > 0;
  w.dedup_within = (feed == Feed::kRequests ? 86400 : among(60, 3600)) * kSecond;
  w.delay = among(0, 30) * kSecond;
  w.range = among(1, 240) * kSecond;
  w.rows = among(0, 6);
  w.tumble = among(5, 120) * kSecond;
  w.tumble_lateness = among(0, 1) * among(1, 90) * kSecond;
  w.tumble_drops = among(0, 1) == 1;
  w.sorted_lateness = among(0, 2) * among(1, 60) * kSecond;
  w.hop_slide = among(3, 40) * kSecond;
  w.hop_size = w.hop_slide * among(1, 4);
  w.now = kStart + 30 * 86400 * kSecond;
  w.script = FirstScript(w);
  w.later_script = LaterScript(w);
  w.streams = {"enriched",  "busy",         "per_window", "sliding", "events.dead", "enriched.dead",
               "busy.dead", Workload::kCsv, "sorted",     "missed",  "missed_some", "per_sorted"};
  w.later_streams = {"later", "scored", "fresh", "later_windows"};
  EventMaker maker(random, feed, w.now + 365 * 86400 * kSecond);
  for (size_t i = 0; i < events; ++i)
    w.events.push_back(maker.Make());
  w.first = random.Below(events);
  w.second = w.first + random.Below(events - w.first);
  return w;
}

}  // namespace headrace::sim
