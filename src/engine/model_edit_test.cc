#include "engine/model_edit.h"

#include <gtest/gtest.h>

#include "engine/test_program.h"
#include "model/test_models.h"

namespace headrace::engine {
namespace {

using catalog::ModelNote;
using Kind = ModelNote::Kind;

class ModelEditTest : public testing::Test {
 protected:
  ModelEditTest() {
    Put("/one.txt", model::HandMadeLightGbm());
    Put("/two.txt", model::HandMadeLightGbm("binary sigmoid:2"));
    Put("/other.json", model::HandMadeXgboost());
  }

  void Put(const std::string& path, const std::string& bytes) {
    ASSERT_TRUE(os::ReplaceFile(program_.files(), path, bytes).ok());
  }

  // The code of the refusal, or the version as text.
  std::string Edit(const std::string& model, int32_t version, std::vector<ModelNote> notes,
                   const std::string& file = "") {
    ModelEdit edit;
    edit.model = model;
    edit.version = version;
    if (!file.empty()) edit.file = file;
    edit.notes = {++now_, std::move(notes)};
    std::string said = "nothing";
    edit.done = [&](const Result<int32_t>& done) {
      said = done.ok() ? std::to_string(*done) : done.error().code();
    };
    program_.engine().EditModel(std::move(edit));
    EXPECT_TRUE(said == "nothing" || said.starts_with("HR")) << "nothing is durable yet: " << said;
    log::Log& log = program_.engine().log();
    if (log.WaitDurable(log.last_lsn()).ok() || said == "nothing") program_.engine().Complete();
    return said;
  }

  // All that is known of a model, as one text.
  std::string Describe(const std::string& name) {
    std::optional<ServedModel> model = program_.engine().FindModel(name);
    if (!model) return "unknown";
    std::string out = model->notes.description + " decides=" + std::to_string(model->deciding);
    for (const auto& [key, value] : model->notes.tags)
      out += " " + key + "=" + value;
    for (const auto& [alias, version] : model->notes.aliases)
      out += " @" + alias + "=" + std::to_string(version);
    for (const ServedVersion& version : model->versions) {
      const catalog::VersionNotes& notes = model->notes.versions[version.number];
      out += " | " + std::to_string(version.number) + " " + version.role + " " + notes.source +
             " " + notes.description + (notes.hidden ? " hidden" : "");
      for (const auto& [key, value] : notes.tags)
        out += " " + key + "=" + value;
    }
    return out;
  }

  TestProgram program_;
  int64_t now_ = 1000;
};

TEST_F(ModelEditTest, AllThatWasSaidIsThereAfterACrash) {
  EXPECT_EQ("0", Edit("m", 0, {{Kind::kRegister, "", ""}, {Kind::kDescription, "", "text"}}));
  EXPECT_EQ("text decides=0", Describe("m"));
  EXPECT_EQ("1",
            Edit("m", 0, {{Kind::kSource, "", "here"}, {Kind::kSetTag, "a", "b"}}, "/one.txt"));
  EXPECT_EQ("2", Edit("m", 0, {{Kind::kSource, "", "there"}}, "/two.txt"));
  EXPECT_EQ("2", Edit("m", 2, {{Kind::kSetAlias, "next", ""}}));
  EXPECT_EQ("1", Edit("m", 1, {{Kind::kSetTag, "c", "d"}, {Kind::kDropTag, "a", ""}}));
  EXPECT_EQ("0", Edit("m", 0, {{Kind::kSetTag, "k", "v"}}));
  const std::string said = Describe("m");
  EXPECT_EQ("text decides=1 k=v @next=2 | 1 decides here  c=d | 2  there ", said);
  const int64_t updated = program_.engine().FindModel("m")->notes.updated_ms;
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    ASSERT_TRUE(program_.Crash(seed).ok());
    EXPECT_EQ(said, Describe("m"));
  }
  ASSERT_TRUE(program_.Restart().ok());
  EXPECT_EQ(said, Describe("m"));
  EXPECT_EQ(updated, program_.engine().FindModel("m")->notes.updated_ms);
}

TEST_F(ModelEditTest, AVersionAndWhatIsSaidOfItAreThereTogetherOrNotAtAll) {
  ASSERT_EQ("0", Edit("m", 0, {{Kind::kRegister, "", ""}}));
  size_t versions = 0;
  for (uint64_t n = 1; versions < 2; ++n) {
    ASSERT_LT(n, 100U);
    program_.files().CrashAtOperation(program_.files().operations() + n);
    const std::string said = Edit("m", 0, {{Kind::kSource, "", "s"}}, "/one.txt");
    ASSERT_TRUE(program_.Crash(n).ok());
    std::optional<ServedModel> model = program_.engine().FindModel("m");
    EXPECT_TRUE(said.starts_with("HR") || model->versions.size() == versions + 1) << said;
    versions = model->versions.size();
    EXPECT_EQ(versions, model->notes.versions.size());
    for (const auto& [number, notes] : model->notes.versions)
      EXPECT_EQ("s", notes.source) << number;
  }
}

TEST_F(ModelEditTest, AModelThatNoStatementMadeCanBeAsked) {
  ASSERT_EQ("0", Edit("m", 0, {{Kind::kRegister, "", ""}}));
  ASSERT_EQ("1", Edit("m", 0, {{Kind::kSource, "", "here"}}, "/one.txt"));
  program_.Run(
      "CREATE STREAM s (x DOUBLE PRECISION, kind BIGINT, y DOUBLE PRECISION);\n"
      "CREATE STREAM o AS SELECT PREDICT(m) AS p FROM s;");
  program_.Feed("s", {R"({"x":1,"kind":3,"y":20})"});
  const std::string before = program_.Rows("o");
  ASSERT_EQ("2", Edit("m", 0, {{Kind::kSource, "", "there"}}, "/two.txt"));
  program_.Run("ALTER MODEL m ACTIVATE VERSION 2;");
  program_.Feed("s", {R"({"x":1,"kind":3,"y":20})"});
  const std::string rows = program_.Rows("o");
  EXPECT_TRUE(rows.starts_with(before));
  EXPECT_NE(before + before, rows);
  ASSERT_TRUE(program_.Crash(7).ok());
  EXPECT_EQ(rows, program_.Rows("o"));
  EXPECT_EQ(0U, program_.Differences());
}

TEST_F(ModelEditTest, WhatCannotBeIsRefusedAndChangesNothing) {
  program_.Run("CREATE STREAM s (x BIGINT);");
  ASSERT_EQ("0", Edit("m", 0, {{Kind::kRegister, "", ""}}));
  ASSERT_EQ("1", Edit("m", 0, {{Kind::kSource, "", "here"}}, "/one.txt"));
  const std::string before = Describe("m");
  EXPECT_EQ("HR1290", Edit("m", 0, {{Kind::kRegister, "", ""}}));
  EXPECT_EQ("HR1290", Edit("s", 0, {{Kind::kRegister, "", ""}}));
  EXPECT_EQ("HR1291", Edit("a/b", 0, {{Kind::kRegister, "", ""}}));
  EXPECT_EQ("HR1291", Edit("m", 0, {{Kind::kSetTag, "", "v"}}));
  EXPECT_EQ("HR1291", Edit("m", 0, {{Kind::kSetTag, "k", std::string(70'000, 'x')}}));
  EXPECT_EQ("HR1292", Edit("m", 0, {{Kind::kUnregister, "", ""}}));
  EXPECT_EQ("HR1292", Edit("m", 1, {{Kind::kHide, "", ""}}));
  EXPECT_EQ("HR1206", Edit("m", 9, {{Kind::kSetTag, "k", "v"}}));
  EXPECT_EQ("HR1107", Edit("none", 0, {{Kind::kSetTag, "k", "v"}}));
  EXPECT_EQ("HR1207", Edit("m", 0, {{Kind::kSource, "", ""}}, "/other.json"));
  Put("/noise", "no model");
  EXPECT_EQ("HR3001", Edit("m", 0, {{Kind::kSource, "", ""}}, "/noise"));
  EXPECT_EQ(before, Describe("m"));
}

TEST_F(ModelEditTest, ADeletedVersionIsHiddenAndItsAliasesGo) {
  ASSERT_EQ("0", Edit("m", 0, {{Kind::kRegister, "", ""}}));
  ASSERT_EQ("1", Edit("m", 0, {{Kind::kSource, "", "here"}}, "/one.txt"));
  ASSERT_EQ("2", Edit("m", 0, {{Kind::kSource, "", "there"}}, "/two.txt"));
  ASSERT_EQ("2", Edit("m", 2, {{Kind::kSetAlias, "next", ""}}));
  ASSERT_EQ("2", Edit("m", 2, {{Kind::kHide, "", ""}}));
  EXPECT_EQ(" decides=1 | 1 decides here  | 2 retired there  hidden", Describe("m"));
  EXPECT_EQ("HR1206", Edit("m", 2, {{Kind::kSetAlias, "next", ""}}));
  EXPECT_EQ("3", Edit("m", 0, {{Kind::kSource, "", "again"}}, "/two.txt"));
  ASSERT_EQ("0", Edit("empty", 0, {{Kind::kRegister, "", ""}}));
  ASSERT_EQ("0", Edit("empty", 0, {{Kind::kUnregister, "", ""}}));
  EXPECT_EQ("unknown", Describe("empty"));
  ASSERT_TRUE(program_.Crash(1).ok());
  EXPECT_EQ("unknown", Describe("empty"));
}

}  // namespace
}  // namespace headrace::engine
