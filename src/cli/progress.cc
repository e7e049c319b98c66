#include "cli/progress.h"

#include <charconv>
#include <utility>

namespace headrace::cli {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kFirstOnTerminal = 2 * kSecond;
constexpr int64_t kBetweenOnTerminal = kSecond / 5;
constexpr int64_t kBetweenLines = 10 * kSecond;
constexpr int kBarWidth = 30;

std::string Rate(uint64_t events, double seconds) {
  return seconds <= 0 ? "0" : std::to_string(static_cast<uint64_t>(double(events) / seconds));
}

std::string Fixed(double number, int digits) {
  char buffer[64];
  auto [end, problem] =
      std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::fixed, digits);
  return problem == std::errc() ? std::string(buffer, end) : "0";
}

std::string Left(double seconds, double share) {
  if (share <= 0) return "";
  return "  " + Fixed(seconds * (1 - share) / share, 0) + " s left";
}

}  // namespace

Progress::Progress(Console& console, const os::Clock& clock, std::string what)
    : console_(console),
      clock_(clock),
      what_(std::move(what)),
      start_(clock.MonotonicNanoseconds()) {
  next_ = start_ + (console.note_is_terminal() ? kFirstOnTerminal : kBetweenLines);
}

double Progress::seconds() const {
  return double(clock_.MonotonicNanoseconds() - start_) * 1e-9;
}

void Progress::Update(uint64_t events, double share) {
  const int64_t now = clock_.MonotonicNanoseconds();
  if (now < next_) return;
  if (console_.note_is_terminal()) {
    console_.Note(Bar(events, share));
    shown_ = true;
    next_ = now + kBetweenOnTerminal;
  } else {
    console_.Note(Line(events, share));
    next_ = now + kBetweenLines;
  }
}

std::string Progress::Bar(uint64_t events, double share) const {
  const int filled = static_cast<int>(share * kBarWidth);
  std::string bar(static_cast<size_t>(filled), '#');
  bar.resize(kBarWidth, '.');
  return "\r[" + bar + "] " + std::to_string(events) + " events  " + Rate(events, seconds()) +
         "/s" + Left(seconds(), share) + "\x1b[K";
}

std::string Progress::Line(uint64_t events, double share) const {
  return what_ + ": " + (share > 0 ? Fixed(share * 100, 0) + "%  " : "") + std::to_string(events) +
         " events  " + Rate(events, seconds()) + "/s" + Left(seconds(), share) + "\n";
}

void Progress::Clear() {
  if (shown_) console_.Note("\r\x1b[K");
  shown_ = false;
}

std::string SummaryLine(const RunSummary& summary) {
  return "events=" + std::to_string(summary.events) + " rows=" + std::to_string(summary.rows) +
         " dead=" + std::to_string(summary.dead) + " late=" + std::to_string(summary.late) +
         " seconds=" + Fixed(summary.seconds, 3) +
         " events_per_second=" + Rate(summary.events, summary.seconds) + "\n";
}

}  // namespace headrace::cli
