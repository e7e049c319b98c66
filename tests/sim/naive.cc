#include "naive.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <vector>

namespace headrace::sim {
namespace {

constexpr int64_t kHour = 3600 * kSecond;
constexpr int64_t kNever = INT64_MIN;

// A row of any of the streams: a superset of their columns.
struct Row {
  const Event* event = nullptr;
  int64_t watermark = kNever;  // before its event
  int64_t offset = 0;          // in its own stream
  int64_t n = 0;
  std::optional<int64_t> s;   // hundredths
  std::optional<int64_t> hi;  // largest q
  std::string json;           // as its stream shows it
  bool refused = false;
};

std::string Text(const std::optional<std::string>& text) {
  return text ? "\"" + *text + "\"" : "null";
}
std::string Text(std::optional<int64_t> number) {
  return number ? std::to_string(*number) : "null";
}
std::string Money(std::optional<int64_t> hundredths) {
  return hundredths ? HundredthsText(*hundredths) : "null";
}
std::string Quarters(std::optional<int64_t> quarters) {
  if (!quarters) return "null";
  static constexpr const char* kFractions[] = {"", ".25", ".5", ".75"};
  int64_t whole = std::abs(*quarters);
  return (*quarters < 0 ? "-" : "") + std::to_string(whole / 4) + kFractions[whole % 4];
}
std::string Time(int64_t micros) {
  return "\"" + TimeText(micros) + "\"";
}

void AddTo(std::optional<int64_t>& sum, std::optional<int64_t> value) {
  if (value) sum = sum.value_or(0) + *value;
}

// Rows of a windowed GROUP BY: window end, window start, key (NULL last).
struct GroupKey {
  int64_t end = 0;
  int64_t start = 0;
  bool null = false;
  std::string k;
  auto operator<=>(const GroupKey&) const = default;
};
struct Group {
  int64_t n = 0;
  std::optional<int64_t> total, hi, s, low;
};

// A watermark that rose behind a row.
struct Step {
  size_t behind = 0;  // index into the events that were taken
  int64_t watermark = 0;
};

// See naive.h.
class Naive {
 public:
  explicit Naive(const Workload& workload) : w_(workload) {}

  std::map<std::string, std::string> Run() {
    Take();
    Enrich();
    Sliding();
    PerWindow();
    Later();
    Sorted();
    return std::move(out_);
  }

 private:
  // Repeats out, watermarks in.
  void Take() {
    std::vector<const Event*> kept;
    int64_t watermark = kNever;
    for (size_t i = 0; i < w_.events.size(); ++i) {
      const Event& event = w_.events[i];
      if (i == w_.first) first_ = rows_.size();
      if (i == w_.second) second_ = rows_.size();
      if (!event.unfit && w_.deduplicated && IsRepeat(kept, event, watermark)) continue;
      Row row;
      row.event = &event;
      row.watermark = watermark;
      row.offset = std::ssize(rows_);
      if (!event.unfit) kept.push_back(&event);
      if (!event.unfit && event.ts - w_.delay > watermark) {
        watermark = event.ts - w_.delay;
        steps_.push_back({rows_.size(), watermark});
      }
      rows_.push_back(row);
    }
    if (w_.first >= w_.events.size()) first_ = rows_.size();
    if (w_.second >= w_.events.size()) second_ = rows_.size();
  }

  // Of what no event within an hour of the watermark can repeat nothing is known any more.
  bool IsRepeat(const std::vector<const Event*>& kept, const Event& event,
                int64_t watermark) const {
    return std::any_of(kept.begin(), kept.end(), [&](const Event* seen) {
      return seen->id == event.id && std::abs(seen->ts - event.ts) <= w_.dedup_within &&
             (watermark == kNever || watermark - seen->ts <= w_.dedup_within + kHour);
    });
  }

  static bool TooLate(const Row& row, int64_t lateness) {
    return row.watermark != kNever && row.event->ts < row.watermark - lateness;
  }

  void Letter(std::vector<std::string>& letters, Row& row, const std::string& payload) {
    if (row.refused) return;
    row.refused = true;
    letters.push_back(std::to_string(row.offset) + " " + payload + "\n");
  }

  // The first script's statements over events, row by row: what one refuses is refused once.
  void Enrich() {
    std::vector<std::string> letters;
    for (Row& row : rows_) {
      if (row.event->unfit) Letter(letters, row, row.event->json);
      if (row.event->unfit) continue;
      if (TooLate(row, kHour) || row.event->q == 0) {
        Letter(letters, row, row.event->json);
      } else {
        EnrichOne(row);
      }
      if (TooLate(row, 0)) Letter(letters, row, row.event->json);
    }
    letters_ = std::move(letters);
  }

  // Rows of the same key that had come, by event time and arrival, up to this one.
  static std::vector<const Row*> Before(const std::vector<const Row*>& seen, const Row& row) {
    std::vector<const Row*> before;
    for (const Row* other : seen) {
      if (other->event->k == row.event->k && other->event->ts <= row.event->ts) {
        before.push_back(other);
      }
    }
    std::stable_sort(before.begin(), before.end(),
                     [](const Row* a, const Row* b) { return a->event->ts < b->event->ts; });
    return before;
  }

  void EnrichOne(Row& row) {
    seen_.push_back(&row);
    std::vector<const Row*> before = Before(seen_, row);
    std::optional<int64_t> sum, hi, lo, sx, lag;
    std::set<int64_t> different;
    int64_t n = 0;
    for (size_t i = 0; i < before.size(); ++i) {
      const Event& event = *before[i]->event;
      if (event.ts >= row.event->ts - w_.range) {
        ++n;
        AddTo(sum, event.v);
        if (event.q) hi = std::max(hi.value_or(*event.q), *event.q);
        if (event.q) different.insert(*event.q);
      }
      if (before.size() - i <= static_cast<size_t>(w_.rows) + 1) {
        if (event.q) lo = std::min(lo.value_or(*event.q), *event.q);
        AddTo(sx, event.x);
      }
    }
    if (before.size() > 1) lag = before[before.size() - 2]->event->q;
    const Event& e = *row.event;
    std::optional<int64_t> inverse;
    if (e.q) inverse = 100 / *e.q;
    out_["enriched"] += "{\"id\":\"" + e.id + "\",\"k\":" + Text(e.k) + ",\"q\":" + Text(e.q) +
                        ",\"v\":" + Money(e.v) + ",\"ts\":" + Time(e.ts) +
                        ",\"n\":" + std::to_string(n) + ",\"s\":" + Money(sum) +
                        ",\"hi\":" + Text(hi) +
                        ",\"different\":" + std::to_string(different.size()) +
                        ",\"lo\":" + Text(lo) + ",\"sx\":" + Quarters(sx) +
                        ",\"before\":" + Text(lag) + ",\"inverse\":" + Text(inverse) + "}\n";
    if (n <= 1) return;
    Row busy = row;
    busy.offset = std::ssize(busy_);
    busy.n = n;
    busy.s = sum;
    busy.hi = hi;
    busy.json = "{\"id\":\"" + e.id + "\",\"k\":" + Text(e.k) + ",\"n\":" + std::to_string(n) +
                ",\"s\":" + Money(sum) + ",\"hi\":" + Text(hi) + ",\"ts\":" + Time(e.ts) + "}";
    out_["busy"] += busy.json + "\n";
    busy_.emplace_back(row.offset, busy);
  }

  // Calls `close` for every group whose window has ended at the watermark.
  template <typename Close>
  static void CloseUpTo(std::map<GroupKey, Group>& groups, int64_t bound, const Close& close) {
    while (!groups.empty() && groups.begin()->first.end <= bound) {
      close(groups.begin()->first, groups.begin()->second);
      groups.erase(groups.begin());
    }
  }

  void Sliding() {
    std::map<GroupKey, Group> groups;
    auto close = [&](const GroupKey& key, const Group& group) {
      out_["sliding"] += "{\"window_start\":" + Time(key.start) +
                         ",\"window_end\":" + Time(key.end) + ",\"n\":" + std::to_string(group.n) +
                         ",\"q\":" + Text(group.total) + ",\"v\":" + Money(group.low) + "}\n";
    };
    size_t step = 0;
    for (size_t i = 0; i < rows_.size(); ++i) {
      const Row& row = rows_[i];
      const Event& e = *row.event;
      if (!e.unfit && !TooLate(row, 0) && e.q && *e.q != 1) {
        for (int64_t start = e.ts - e.ts % w_.hop_slide; start > e.ts - w_.hop_size;
             start -= w_.hop_slide) {
          Group& group = groups[{start + w_.hop_size, start, false, ""}];
          ++group.n;
          AddTo(group.total, e.q);
          if (e.v) group.low = std::min(group.low.value_or(*e.v), *e.v);
        }
      }
      for (; step < steps_.size() && steps_[step].behind == i; ++step)
        CloseUpTo(groups, steps_[step].watermark, close);
    }
    CloseUpTo(groups, INT64_MAX, close);
  }

  void PerWindow() {
    std::map<GroupKey, Group> groups;
    auto close = [&](const GroupKey& key, const Group& group) {
      out_["per_window"] += "{\"window_start\":" + Time(key.start) +
                            ",\"k\":" + (key.null ? "null" : "\"" + key.k + "\"") +
                            ",\"n\":" + std::to_string(group.n) +
                            ",\"total\":" + Text(group.total) + ",\"hi\":" + Text(group.hi) +
                            ",\"s\":" + Money(group.s) + "}\n";
    };
    std::vector<std::string> letters;
    size_t next = 0;
    size_t step = 0;
    for (size_t i = 0; i < rows_.size(); ++i) {
      for (; next < busy_.size() && busy_[next].first == rows_[i].offset; ++next) {
        Row& row = busy_[next].second;
        if (TooLate(row, w_.tumble_lateness)) {
          if (!w_.tumble_drops) Letter(letters, row, row.json);
          continue;
        }
        int64_t start = row.event->ts - row.event->ts % w_.tumble;
        Group& group = groups[{start + w_.tumble, start, !row.event->k, row.event->k.value_or("")}];
        ++group.n;
        AddTo(group.total, row.n);
        AddTo(group.s, row.s);
        if (row.hi) group.hi = std::max(group.hi.value_or(*row.hi), *row.hi);
      }
      for (; step < steps_.size() && steps_[step].behind == i; ++step)
        CloseUpTo(groups, steps_[step].watermark - w_.tumble_lateness, close);
    }
    CloseUpTo(groups, INT64_MAX, close);
    for (const std::string& letter : letters)
      out_["busy.dead"] += letter;
  }

  // The second script's streams: over the past first, whose refusals stand behind the older ones.
  void Later() {
    std::map<GroupKey, Group> groups;
    auto close = [&](const GroupKey& key, const Group& group) {
      out_["later_windows"] += "{\"window_start\":" + Time(key.start) +
                               ",\"n\":" + std::to_string(group.n) +
                               ",\"total\":" + Text(group.total) + "}\n";
    };
    std::vector<const Row*> seen;
    std::vector<std::string> past;
    std::map<int64_t, std::string> refused;  // of events behind the script, by offset
    size_t step = 0;
    for (size_t i = 0; i < rows_.size(); ++i) {
      Row& row = rows_[i];
      const Event& e = *row.event;
      if (!e.unfit && !TooLate(row, kHour)) {
        int64_t score = kScores[i < second_ ? 0 : 1][e.q.value_or(0) <= 5 ? 0 : 1];
        out_["scored"] += "{\"id\":\"" + e.id + "\",\"p\":" + Quarters(score) + "}\n";
      }
      if (i >= first_ && !e.unfit && !TooLate(row, kHour) && e.q && *e.q > 3) {
        out_["fresh"] += "{\"id\":\"" + e.id + "\",\"ts\":" + Time(e.ts) + "}\n";
      }
      if (!e.unfit && !TooLate(row, kHour) && e.q == 7) {
        // Of the past it was computed apart from the others: what they refused it refuses again.
        std::vector<std::string> letter;
        if (i < first_) row.refused = false;
        Letter(letter, row, e.json);
        if (!letter.empty() && i < first_) past.push_back(letter[0]);
        if (!letter.empty() && i >= first_) refused[row.offset] = letter[0];
      } else if (!e.unfit && !TooLate(row, kHour)) {
        seen.push_back(&row);
        LaterOne(row, seen, groups);
      }
      for (; step < steps_.size() && steps_[step].behind == i; ++step)
        CloseUpTo(groups, steps_[step].watermark, close);
    }
    CloseUpTo(groups, INT64_MAX, close);
    MergeLetters(past, refused);
  }

  // Rows in the order of their times, each once no older one can come.
  void Sorted() {
    std::vector<const Row*> waiting, done;
    size_t step = 0;
    for (size_t i = 0; i < rows_.size(); ++i) {
      const Row& row = rows_[i];
      if (!row.event->unfit && TooLate(row, w_.sorted_lateness)) {
        Missed(*row.event);
      } else if (!row.event->unfit) {
        waiting.push_back(&row);
      }
      for (; step < steps_.size() && steps_[step].behind == i; ++step)
        ReleaseUpTo(steps_[step].watermark - w_.sorted_lateness, waiting, done);
    }
    ReleaseUpTo(INT64_MAX, waiting, done);
    std::map<int64_t, Group> groups;
    for (const auto& [ts, n] : sorted_) {
      Group& group = groups[ts - ts % w_.tumble];
      ++group.n;
      AddTo(group.total, n);
    }
    for (const auto& [start, group] : groups) {
      out_["per_sorted"] += "{\"window_start\":" + Time(start) +
                            ",\"n\":" + std::to_string(group.n) +
                            ",\"total\":" + Text(group.total) + "}\n";
    }
  }

  void Missed(const Event& e) {
    out_["missed"] += "{\"id\":\"" + e.id + "\",\"k\":" + Text(e.k) + ",\"q\":" + Text(e.q) +
                      ",\"v\":" + Money(e.v) + ",\"x\":" + Quarters(e.x) + ",\"ts\":" + Time(e.ts) +
                      "}\n";
    if (!e.q || *e.q <= 5) return;
    out_["missed_some"] +=
        "{\"id\":\"" + e.id + "\",\"v\":" + Money(e.v) + ",\"ts\":" + Time(e.ts) + "}\n";
  }

  void ReleaseUpTo(int64_t bound, std::vector<const Row*>& waiting, std::vector<const Row*>& done) {
    std::vector<const Row*> released, left;
    for (const Row* row : waiting)
      (row->event->ts < bound ? released : left).push_back(row);
    waiting = std::move(left);
    std::stable_sort(released.begin(), released.end(),
                     [](const Row* a, const Row* b) { return a->event->ts < b->event->ts; });
    std::erase_if(released, [](const Row* row) { return row->event->q == 2; });
    const size_t first = done.size();
    done.insert(done.end(), released.begin(), released.end());
    for (size_t i = first; i < done.size(); ++i)
      SortedOne(done, i);
  }

  void SortedOne(const std::vector<const Row*>& done, size_t at) {
    const Event& e = *done[at]->event;
    int64_t n = 0;
    std::optional<int64_t> sum, before;
    for (size_t i = 0; i < done.size(); ++i) {
      const Event& other = *done[i]->event;
      if (other.k != e.k) continue;
      if (i < at) before = other.q;
      if (other.ts > e.ts || other.ts < e.ts - w_.range) continue;
      ++n;
      AddTo(sum, other.v);
    }
    sorted_.emplace_back(e.ts, n);
    out_["sorted"] += "{\"id\":\"" + e.id + "\",\"k\":" + Text(e.k) + ",\"ts\":" + Time(e.ts) +
                      ",\"n\":" + std::to_string(n) + ",\"s\":" + Money(sum) +
                      ",\"before\":" + Text(before) + "}\n";
  }

  void LaterOne(const Row& row, const std::vector<const Row*>& seen,
                std::map<GroupKey, Group>& groups) {
    const Event& e = *row.event;
    int64_t n = 0;
    for (const Row* other : Before(seen, row))
      n += other->event->ts >= e.ts - w_.range ? 1 : 0;
    std::optional<int64_t> inverse;
    if (e.q) inverse = 10 / (*e.q - 7);
    out_["later"] += "{\"id\":\"" + e.id + "\",\"ts\":" + Time(e.ts) +
                     ",\"n\":" + std::to_string(n) + ",\"inverse\":" + Text(inverse) + "}\n";
    if (TooLate(row, 0)) return;
    int64_t start = e.ts - e.ts % w_.tumble;
    Group& group = groups[{start + w_.tumble, start, false, ""}];
    ++group.n;
    AddTo(group.total, n);
  }

  void MergeLetters(const std::vector<std::string>& past,
                    const std::map<int64_t, std::string>& refused) {
    std::map<int64_t, std::string> behind = refused;
    std::string& out = out_["events.dead"];
    for (const std::string& letter : letters_) {
      int64_t offset = std::stoll(letter);
      if (offset < static_cast<int64_t>(first_)) {
        out += letter;
      } else {
        behind[offset] = letter;
      }
    }
    for (const std::string& letter : past)
      out += letter;
    for (const auto& [offset, letter] : behind)
      out += letter;
  }

  const Workload& w_;
  std::vector<Row> rows_;  // events that were taken
  std::vector<Step> steps_;
  size_t first_ = 0;   // index of the first row behind the second script
  size_t second_ = 0;  // and behind the second version of the model
  std::vector<const Row*> seen_;
  std::vector<std::pair<int64_t, Row>> busy_;        // with the offset of their event
  std::vector<std::pair<int64_t, int64_t>> sorted_;  // event time and n of each row
  std::vector<std::string> letters_;                 // of the first script
  std::map<std::string, std::string> out_;
};

// The text of a member, JSON string or number, without its quotes and escapes.
std::string MemberOf(const std::string& line, const std::string& name) {
  size_t at = line.find("\"" + name + "\":") + name.size() + 3;
  std::string text;
  bool quoted = line[at] == '"';
  for (size_t i = quoted ? at + 1 : at; i < line.size(); ++i) {
    if (quoted ? line[i] == '"' : line[i] == ',') break;
    if (line[i] == '\\') ++i;
    text += line[i];
  }
  return text;
}

}  // namespace

std::map<std::string, std::string> NaiveOutputs(const Workload& workload) {
  return Naive(workload).Run();
}

std::string LettersOf(const std::string& lines) {
  std::string letters;
  size_t begin = 0;
  while (begin < lines.size()) {
    size_t end = lines.find('\n', begin);
    std::string line = lines.substr(begin, end - begin);
    letters += MemberOf(line, "offset") + " " + MemberOf(line, "payload") + "\n";
    begin = end + 1;
  }
  return letters;
}

}  // namespace headrace::sim
