// Backups that were stopped: whatever there is of one, the next is whole.

#include "engine/backup.h"

#include <gtest/gtest.h>

#include "engine/test_program.h"

namespace headrace::engine {
namespace {

constexpr const char* kModel = "/in/m.txt";
constexpr const char* kModelText =
    "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=0\n"
    "objective=regression\nfeature_names=q\nfeature_infos=[0:20]\n\nTree=0\nnum_leaves=2\n"
    "num_cat=0\nsplit_feature=0\nthreshold=5\ndecision_type=10\nleft_child=-1\nright_child=-2\n"
    "leaf_value=1 2\nleaf_count=5 5\ninternal_count=10\nis_linear=0\nshrinkage=1\n\n\n"
    "end of trees\n";

TEST(Backups, StoppedAtAnyOperationAreCarriedOnByTheNext) {
  TestProgram program;
  program.disk().CreateDirectories("/in").value();
  os::ReplaceFile(program.disk(), kModel, kModelText).value();
  program.Run(
      "CREATE STREAM s (q BIGINT); CREATE MODEL m WITH (path = '/in/m.txt');"
      "CREATE STREAM o AS SELECT PREDICT(m, q) AS p FROM s;");
  program.Feed("s", {R"({"q":1})", R"({"q":9})"});
  const std::string rows = program.Rows("o");
  ASSERT_TRUE(program.Stop().ok());
  bool stopped = true;
  for (uint64_t at = 1; stopped; ++at) {
    std::unique_ptr<os::MemoryFileSystem> disk = program.disk().Clone();
    {
      os::FaultyFileSystem files(*disk);
      files.CrashAtOperation(at);
      stopped = !Backup(files, program.clock(), "/data", "/backup").ok();
    }
    disk->Crash(at);
    ASSERT_TRUE(Backup(*disk, program.clock(), "/data", "/backup").ok()) << at;
    ASSERT_TRUE(Restore(*disk, program.clock(), "/backup", "/again").ok()) << at;
    base::MetricsRegistry metrics;
    EngineOptions options;
    options.directory = "/again";
    auto engine = LocalEngine::Open(*disk, program.clock(), metrics, options, nullptr);
    ASSERT_TRUE(engine.ok()) << at << engine.error().ToString();
    EXPECT_EQ(rows, (*engine)->ReadRows("o", {}).value()) << at;
  }
}

TEST(Backups, AreNotMadeInADirectoryOfSomethingElse) {
  TestProgram program;
  program.disk().CreateDirectories("/mine").value();
  os::ReplaceFile(program.disk(), "/mine/x", "y").value();
  EXPECT_EQ("HR5406", Backup(program.disk(), program.clock(), "/data", "/mine").error().code());
}

}  // namespace
}  // namespace headrace::engine
