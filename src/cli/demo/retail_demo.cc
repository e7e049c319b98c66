#include "cli/demo/retail_demo.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/demo/decision_meter.h"
#include "cli/demo/embedded.h"
#include "cli/demo/shopper_generator.h"
#include "headrace/check.h"
#include "learn/off_policy.h"
#include "row/text.h"

namespace headrace::cli {
namespace {

constexpr size_t kTogether = 50;  // visits that are asked about at once
constexpr size_t kParts = 10;     // of the curve
constexpr double kPerThousand = 1e-3;

std::string Fixed(double number, int digits, size_t width = 0) {
  char text[64];
  const auto end =
      std::to_chars(text, text + sizeof text, number, std::chars_format::fixed, digits).ptr;
  std::string out(text, end);
  return out.size() < width ? std::string(width - out.size(), ' ') + out : out;
}

// The text, or the number as text, of a member of a flat row.
std::string_view Member(std::string_view row, std::string_view name) {
  const std::string key = "\"" + std::string(name) + "\":";
  size_t begin = row.find(key);
  if (begin == std::string_view::npos) return {};
  begin += key.size();
  const bool text = begin < row.size() && row[begin] == '"';
  if (text) ++begin;
  const size_t end = row.find_first_of(text ? "\"" : ",}", begin);
  return end == std::string_view::npos ? std::string_view() : row.substr(begin, end - begin);
}

// What was shown to a visitor.
struct Shown {
  std::string id;
  size_t item = 0;
  double propensity = 1;
};

std::optional<Shown> ReadShown(std::string_view row) {
  Shown shown;
  shown.id = Member(row, "_id");
  const auto item = std::find(Visit::kNames.begin(), Visit::kNames.end(), Member(row, "item"));
  shown.item = static_cast<size_t>(item - Visit::kNames.begin());
  const std::string_view number = Member(row, "item_propensity");
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), shown.propensity);
  const bool good = error == std::errc() && !shown.id.empty() && item != Visit::kNames.end();
  return good ? std::optional(shown) : std::nullopt;
}

// What the choices cost: sums of chances, of what was shown and of what could have been.
class Account {
 public:
  void Add(const Visit& visit, size_t item, double propensity, bool bought) {
    ++visits_;
    regret_ += kPerThousand * (visit.best() - visit.chances[item]);
    best_ += kPerThousand * visit.best();
    if (bought) ++bought_;
    for (size_t k = 0; k < Visit::kItems; ++k) {
      const double chance = kPerThousand * visit.chances[k];
      random_ += chance / Visit::kItems;
      always_[k] += chance;
      estimates_[k].Add({bought ? 1.0 : 0.0, propensity, k == item ? 1.0 : 0.0, 0, 0});
    }
  }

  uint64_t visits() const { return visits_; }
  double regret() const { return regret_; }
  double random_regret() const { return best_ - random_; }
  double best_single_regret() const { return best_ - always_[BestSingle()]; }

  std::string Summary() const {
    const auto share = [&](double purchases) {
      return Fixed(100 * purchases / static_cast<double>(visits_), 2, 6) + "\n";
    };
    const size_t single = BestSingle();
    std::string out = "purchases in 100 visits\n";
    out += "  the policy              " + share(static_cast<double>(bought_));
    out += "  a shelf at random       " + share(random_);
    out += "  always " + Padded(Visit::kNames[single], 17) + share(always_[single]);
    out += "  the best for each       " + share(best_) + "\n";
    out +=
        "From the log alone, with its propensities (SNIPS, 95%), what always one shelf would have "
        "sold:\n  shelf      estimate    low   high   truth\n";
    for (size_t k = 0; k < Visit::kItems; ++k) {
      const learn::OffPolicy::Estimate estimate = estimates_[k].Snips();
      out += "  " + Padded(Visit::kNames[k], 10) + Fixed(100 * estimate.value, 2, 9) +
             Fixed(100 * estimate.low, 2, 7) + Fixed(100 * estimate.high, 2, 7) + "  " +
             share(always_[k]);
    }
    return out;
  }

 private:
  size_t BestSingle() const {
    return static_cast<size_t>(std::max_element(always_.begin(), always_.end()) - always_.begin());
  }
  static std::string Padded(std::string_view text, size_t width) {
    std::string out(text);
    out.resize(std::max(width, out.size()), ' ');
    return out;
  }

  uint64_t visits_ = 0;
  uint64_t bought_ = 0;
  double regret_ = 0;
  double best_ = 0;
  double random_ = 0;
  std::array<double, Visit::kItems> always_{};
  std::array<learn::OffPolicy, Visit::kItems> estimates_ = {
      learn::OffPolicy(1e9), learn::OffPolicy(1e9), learn::OffPolicy(1e9),
      learn::OffPolicy(1e9), learn::OffPolicy(1e9), learn::OffPolicy(1e9)};
};

// The shop: asks the engine what to show, tells it what was bought.
class Shop {
 public:
  Shop(const RetailOptions& options, engine::Engine& engine)
      : options_(options),
        engine_(engine),
        shoppers_(options.seed, options.start_micros, options.visits) {}

  // The next visits, at most kTogether.
  Status Serve() {
    std::vector<Visit> visits;
    engine::IngestRequest request;
    request.topic = "visits";
    request.return_stream = "shown";
    const uint64_t left = options_.visits - account_.visits();
    while (visits.size() < std::min<uint64_t>(left, kTogether)) {
      visits.push_back(shoppers_.Next());
      request.payloads.push_back(visits.back().Json());
    }
    HR_TRY(TellPurchases(visits.front().ts_micros));
    HR_ASSIGN(const std::vector<std::string> rows, Send(std::move(request)));
    HR_CHECK(rows.size() == visits.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      const std::optional<Shown> shown = ReadShown(rows[i]);
      HR_CHECK(shown.has_value());
      const bool buys = shoppers_.Buys(visits[i], shown->item);
      account_.Add(visits[i], shown->item, shown->propensity, buys);
      last_ = shown->id;
      constexpr int64_t kSecond = 1'000'000;
      if (buys) purchases_.emplace(visits[i].ts_micros + shoppers_.Delay() * kSecond, shown->id);
    }
    return Ok();
  }

  const Account& account() const { return account_; }
  const std::string& last() const { return last_; }

 private:
  // What was bought up to now.
  Status TellPurchases(int64_t now_micros) {
    engine::IngestRequest request;
    request.topic = "purchases";
    while (!purchases_.empty() && purchases_.begin()->first <= now_micros) {
      std::string event =
          "{\"shown_id\":\"" + purchases_.begin()->second + "\",\"bought\":1,\"ts\":\"";
      row::AppendRfc3339(purchases_.begin()->first, event);
      request.payloads.push_back(event + "\"}");
      purchases_.erase(purchases_.begin());
    }
    if (request.payloads.empty()) return Ok();
    HR_ASSIGN(const std::vector<std::string> rows, Send(std::move(request)));
    HR_CHECK(rows.empty());
    return Ok();
  }

  Result<std::vector<std::string>> Send(engine::IngestRequest request) {
    std::optional<engine::IngestReply> reply;
    request.done = [&reply](engine::IngestReply given) { reply = std::move(given); };
    engine_.Submit(std::move(request));
    while (!reply) {
      engine_.Pump();
      engine_.Complete();
    }
    if (reply->error) return *reply->error;
    if (!reply->rejected.empty()) return reply->rejected.front().error;
    return std::move(reply->rows);
  }

  const RetailOptions& options_;
  engine::Engine& engine_;
  ShopperGenerator shoppers_;
  std::multimap<int64_t, std::string> purchases_;  // by when they are known
  Account account_;
  std::string last_;
};

void PrintCurve(const std::vector<Account>& points, Console& console) {
  console.Out("visits   regret: policy   one shelf   random\n");
  double most = 1;
  for (const Account& point : points)
    most = std::max(most, point.random_regret());
  for (const Account& point : points) {
    constexpr double kWidth = 30;
    const auto bar = static_cast<size_t>(kWidth * point.regret() / most + 0.5);
    console.Out(Fixed(static_cast<double>(point.visits()), 0, 6) + Fixed(point.regret(), 1, 18) +
                Fixed(point.best_single_regret(), 1, 12) + Fixed(point.random_regret(), 1, 9) +
                "  " + std::string(bar, '#') + "\n");
  }
}

Status WriteRetailScript(os::FileSystem& files, const std::string& folder) {
  HR_TRY(files.CreateDirectories(folder));
  return os::ReplaceFile(files, folder + "/app.sql", RetailScript());
}

}  // namespace

Status RunRetailDemo(const RetailOptions& options, Workspace& workspace, Console& console) {
  const std::string folder = workspace.directory() + "/demo";
  HR_TRY(WriteRetailScript(workspace.files(), folder));
  HR_TRY(workspace.engine().Execute(RetailScript(), folder + "/app.sql"));
  HR_ASSIGN(const engine::QueryResult before,
            workspace.engine().Query("SELECT visit FROM visits LIMIT 1"));
  if (!before.rows.empty()) {
    return Error(ErrorKind::kConflict, "HR9045",
                 "the data directory " + workspace.directory() + " holds a demo already")
        .WithHint("look at it with `headrace sql`, or give another --data");
  }
  console.Out("headrace demo=retail  seed=" + std::to_string(options.seed) + "\n" +
              CountText(options.visits) +
              " visits; a policy chooses a shelf for each and hears of what was bought seconds to "
              "minutes later.\nRegret is what was lost against the best shelf for each visitor, in "
              "purchases. The last third has\nanother fashion: what shelves are worth moves on by "
              "one.\n\n");
  Shop shop(options, workspace.engine());
  std::vector<Account> points;
  while (shop.account().visits() < options.visits) {
    HR_TRY(shop.Serve());
    if (shop.account().visits() * kParts >= (points.size() + 1) * options.visits)
      points.push_back(shop.account());
  }
  PrintCurve(points, console);
  console.Out("\n" + shop.account().Summary() + "\nTry next\n");
  if (workspace.is_temporary()) {
    console.Out("  headrace demo retail --data ./shop     keeps its data\n");
  } else {
    const std::string data = " --data " + workspace.directory();
    console.Out(
        "  headrace why " + shop.last() + data + "\n  headrace sql" + data +
        " -c \"SELECT outcome, count(*) FROM learned GROUP BY outcome\"\n  headrace verify" + data +
        "\n");
  }
  return workspace.Close();
}

}  // namespace headrace::cli
