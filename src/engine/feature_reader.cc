#include "engine/feature_reader.h"

#include <algorithm>
#include <utility>

#include "engine/entity.h"
#include "engine/latest_rows.h"
#include "row/decimal.h"
#include "row/text.h"

namespace headrace::engine {
namespace {

constexpr size_t kRowsAtOnce = 256;  // that a caller takes who does not wait
constexpr size_t kRowsBetweenChecks = 65'536;

bool IsText(row::Type type) {
  using enum row::TypeKind;
  return type.kind == kText || type.kind == kBytea || type.kind == kJson || type.kind == kJsonb ||
         type.kind == kTextArray || type.kind == kBigintArray;
}

row::Value Keep(const row::Value& value, row::Type type, base::Arena& arena) {
  row::Value kept = value;
  const bool wide = type.kind == row::TypeKind::kDecimal && value.special == row::kWide;
  if (!value.null && (IsText(type) || wide)) kept.data = arena.Copy(value.text()).data();
  return kept;
}

const FeatureRequest::Entity* FindEntity(const FeatureRequest& request, const std::string& name) {
  for (const FeatureRequest::Entity& entity : request.entities) {
    if (entity.name == name) return &entity;
  }
  return nullptr;
}

Error NoEntity(std::string message) {
  return Error(ErrorKind::kInvalidArgument, "HR4091", std::move(message));
}

}  // namespace

// Columns of one stream that are looked up by the same entity.
struct FeatureReader::Group {
  const Deployed* item = nullptr;
  std::vector<size_t> entity;
  std::vector<std::pair<size_t, size_t>> columns;  // of the request, of the stream
};

FeatureReader::FeatureReader(const log::Log& log) : log_(log) {}
FeatureReader::~FeatureReader() = default;

Result<std::optional<FeatureAnswer>> FeatureReader::Read(
    const std::shared_ptr<const Deployment>& deployment, const FeatureRequest& request, bool wait) {
  std::unique_lock lock(mutex_, std::defer_lock);
  if (wait) {
    lock.lock();
  } else if (!lock.try_lock()) {
    return std::optional<FeatureAnswer>();
  }
  ForgetNow();
  HR_ASSIGN(std::vector<Group> groups, GroupsOf(*deployment, request));
  FeatureAnswer answer;
  answer.columns.resize(request.columns.size());
  for (const Group& group : groups) {
    HR_ASSIGN(LatestRows * table, TableOf(deployment, group));
    HR_ASSIGN(bool ready, CatchUp(*table, wait));
    if (!ready) return std::optional<FeatureAnswer>();
    HR_TRY(FillGroup(*table, group, request, answer));
  }
  return std::optional<FeatureAnswer>(std::move(answer));
}

void FeatureReader::Forget() {
  forgets_ = true;
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock.owns_lock()) ForgetNow();
}

void FeatureReader::ForgetNow() {
  if (!forgets_.exchange(false)) return;
  tables_.clear();
  layouts_.clear();
}

const FeatureReader::Layout& FeatureReader::LayoutOf(const Deployment& deployment,
                                                     const Deployed& item) {
  std::shared_ptr<const void> plan = item.source;
  if (item.statement) plan = item.statement;
  auto known = layouts_.find(item.name);
  if (known != layouts_.end() && known->second.plan == plan) return known->second;
  if (layouts_.size() >= kLayoutsMax) layouts_.clear();
  Layout& layout = layouts_[item.name];
  layout = {std::move(plan), deployment.SchemaOf(item), {}, {}};
  for (size_t c = 0; c < layout.schema.columns.size(); ++c) {
    layout.columns[layout.schema.columns[c].name] = c;
    layout.entities.push_back(EntityOf(deployment, item, c));
  }
  return layout;
}

Result<std::vector<FeatureReader::Group>> FeatureReader::GroupsOf(const Deployment& deployment,
                                                                  const FeatureRequest& request) {
  std::vector<Group> groups;
  const Deployed* item = nullptr;
  const Layout* layout = nullptr;
  for (size_t i = 0; i < request.columns.size(); ++i) {
    const FeatureRequest::Column& wanted = request.columns[i];
    if (item == nullptr || item->name != wanted.stream) {
      item = deployment.Find(wanted.stream);
      if (item == nullptr || item->is_model() || !item->dead_of.empty()) {
        return Error(ErrorKind::kNotFound, "HR1204", "no stream or view `" + wanted.stream + "`");
      }
      layout = &LayoutOf(deployment, *item);
    }
    auto column = layout->columns.find(wanted.name);
    if (column == layout->columns.end()) {
      return Error(ErrorKind::kInvalidArgument, "HR1104",
                   "`" + wanted.stream + "` has no column `" + wanted.name + "`");
    }
    std::vector<size_t> entity = layout->entities[column->second];
    // Nothing says of whom it tells: of what the request names.
    for (const auto& [name, at] : layout->columns) {
      if (item->source && entity.empty() && FindEntity(request, name) != nullptr) entity = {at};
    }
    if (entity.empty()) {
      return NoEntity("`" + wanted.stream + "` is not kept by an entity that its rows name")
          .WithHint("PARTITION BY a column, and select it");
    }
    auto known = std::find_if(groups.begin(), groups.end(), [&](const Group& group) {
      return group.item == item && group.entity == entity;
    });
    if (known == groups.end()) {
      groups.push_back({item, std::move(entity), {}});
      known = groups.end() - 1;
    }
    known->columns.emplace_back(i, column->second);
  }
  return groups;
}

Result<LatestRows*> FeatureReader::TableOf(const std::shared_ptr<const Deployment>& deployment,
                                           const Group& group) {
  auto known = std::find_if(tables_.begin(), tables_.end(), [&](const auto& table) {
    return table->IsOf(*group.item, group.entity);
  });
  if (known != tables_.end()) {
    tables_.splice(tables_.begin(), tables_, known);
    return tables_.front().get();
  }
  if (tables_.size() == kTablesMax) tables_.pop_back();
  tables_.push_front(std::make_unique<LatestRows>(deployment, *group.item, group.entity));
  return tables_.front().get();
}

Result<bool> FeatureReader::CatchUp(LatestRows& table, bool wait) {
  while (true) {
    Result<bool> done =
        table.CatchUp(log_, wait ? kRowsBetweenChecks : kRowsAtOnce, kTableBytesMax);
    uint64_t bytes = 0;
    for (const auto& each : tables_)
      bytes += each->bytes();
    while (bytes > kTableBytesMax && tables_.size() > 1) {
      bytes -= tables_.back()->bytes();
      tables_.pop_back();
    }
    if (done.ok() && bytes > kTableBytesMax) {
      done = Error(ErrorKind::kLimitExceeded, "HR4090",
                   "the latest rows of this stream take more than 1 GiB")
                 .WithHint("read it through a view of fewer columns or keys");
    }
    if (!done.ok()) tables_.pop_front();
    if (!done.ok() || *done || !wait) return done;
  }
}

Status FeatureReader::FillGroup(LatestRows& table, const Group& group,
                                const FeatureRequest& request, FeatureAnswer& answer) {
  const row::Schema& schema = table.schema();
  std::vector<const FeatureRequest::Entity*> entities;
  for (size_t column : group.entity) {
    const row::Column& key = schema.columns[column];
    const FeatureRequest::Entity* entity = FindEntity(request, key.name);
    if (entity == nullptr) {
      return NoEntity("the entity `" + key.name + "` of `" + group.item->name + "` is missing");
    }
    entities.push_back(entity);
    auto known = std::find_if(answer.entities.begin(), answer.entities.end(),
                              [&](const auto& each) { return each.name == key.name; });
    if (known == answer.entities.end()) answer.entities.push_back({key.name, key.type, {}});
  }
  for (const auto& [wanted, column] : group.columns) {
    answer.columns[wanted].name = schema.columns[column].name;
    answer.columns[wanted].type = schema.columns[column].type;
  }
  std::string key;
  for (size_t row = 0; row < entities.front()->texts.size(); ++row) {
    key.clear();
    for (size_t i = 0; i < entities.size(); ++i) {
      const row::Column& column = schema.columns[group.entity[i]];
      Result<row::Value> value =
          row::ParseText(entities[i]->texts[row], column.type, *answer.arena);
      if (!value.ok()) {
        return NoEntity("`" + entities[i]->texts[row] + "` is no " + row::ToString(column.type) +
                        ", which the entity `" + column.name + "` is");
      }
      row::AppendKey(*value, column.type, key);
      auto echo = std::find_if(answer.entities.begin(), answer.entities.end(),
                               [&](const auto& each) { return each.name == column.name; });
      if (echo->cells.size() == row) {
        echo->cells.push_back({Keep(*value, column.type, *answer.arena), true, 0});
      }
    }
    HR_ASSIGN(auto found, table.Find(log_, key));
    for (const auto& [wanted, column] : group.columns) {
      FeatureAnswer::Cell& cell = answer.columns[wanted].cells.emplace_back();
      if (!found) continue;
      cell.found = true;
      cell.time = found->time;
      cell.value = Keep(found->values[column], schema.columns[column].type, *answer.arena);
      if (answer.arena->bytes_reserved() > kAnswerBytesMax) {
        return Error(ErrorKind::kLimitExceeded, "HR4090",
                     "the answer has more than 64 MiB of values")
            .WithHint("ask for fewer entities in a request");
      }
    }
  }
  return Ok();
}

}  // namespace headrace::engine
