#include "train/table.h"

#include <cmath>

#include <gtest/gtest.h>

namespace headrace::train {
namespace {

ColumnChoice Label(const std::string& label) {
  ColumnChoice choice;
  choice.label = label;
  return choice;
}

std::string Failure(const std::string& csv, const ColumnChoice& choice, Task task) {
  const Result<Table> table = ReadTable(csv, choice, task);
  return table.ok() ? "ok" : table.error().code() + " " + table.error().place();
}

TEST(Table, TakesAllColumnsButTheLabelAndThoseIgnored) {
  ColumnChoice choice = Label("y");
  choice.ignored = {"id"};
  const Table table =
      ReadTable("id,a,y,b\n#1,1,0,2\n\n#2,,true,-inf\n#3,1e-36,1,+4\n", choice, Task::kBinary)
          .value();
  ASSERT_EQ(2u, table.columns.size());
  EXPECT_EQ("a", table.columns[0].name);
  EXPECT_EQ((std::vector<double>{0, 1, 1}), table.labels);
  EXPECT_TRUE(std::isnan(table.columns[0].values[1]));
  EXPECT_EQ(0, table.columns[0].values[2]);
  EXPECT_EQ(4, table.columns[1].values[2]);
}

TEST(Table, TakesTheColumnsThatAreNamedInTheirOrder) {
  ColumnChoice choice = Label("y");
  choice.features = {"b", "a"};
  choice.monotone = {{"a", -1}};
  const Table table = ReadTable("a,c,y,b\n1,x,0,2\n1,x,1,2\n", choice, Task::kBinary).value();
  ASSERT_EQ(2u, table.columns.size());
  EXPECT_EQ("b", table.columns[0].name);
  EXPECT_EQ(-1, table.columns[1].monotone);
}

TEST(Table, NumbersWordsInTheirOrderAndTakesCodesAsTheyAre) {
  ColumnChoice choice = Label("y");
  choice.categorical = {"w", "c", "n"};
  const std::string csv = "w,c,n,y\nred,7,-1,0\nblue,,5,1\n,7.0,nan,2\nred,2,5,3\n";
  const Table table = ReadTable(csv, choice, Task::kRegression).value();
  EXPECT_EQ((std::vector<std::string>{"blue", "red"}), table.columns[0].categories);
  EXPECT_EQ(1, table.columns[0].values[0]);
  EXPECT_EQ(0, table.columns[0].values[1]);
  EXPECT_TRUE(std::isnan(table.columns[0].values[2]));
  EXPECT_TRUE(table.columns[1].categories.empty());
  EXPECT_EQ(7, table.columns[1].values[2]);
  // -1 is no code, so the column is one of words.
  EXPECT_EQ((std::vector<std::string>{"-1", "5"}), table.columns[2].categories);
  const Table other =
      ReadTableLike("y,c,n,w\n1,9,5,red\n1,x,6,pink\n", "y", table, Task::kRegression).value();
  EXPECT_EQ(1, other.columns[0].values[0]);
  EXPECT_TRUE(std::isnan(other.columns[0].values[1]));
  EXPECT_EQ(9, other.columns[1].values[0]);
  EXPECT_EQ(1, other.columns[2].values[0]);
}

TEST(Table, CountsClassesByTheLargestLabel) {
  EXPECT_EQ(4u, ReadTable("x,y\n1,3\n1,0\n", Label("y"), Task::kMulticlass).value().classes);
  EXPECT_EQ("HR3008 line 3", Failure("x,y\n1,0\n1,1.5\n", Label("y"), Task::kMulticlass));
  EXPECT_EQ("HR3008 line 3", Failure("x,y\n1,0\n1,1000\n", Label("y"), Task::kMulticlass));
  EXPECT_EQ("HR3008 line 2", Failure("x,y\n1,2\n1,2\n", Label("y"), Task::kMulticlass));
}

TEST(Table, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ("HR3005 line 1", Failure("", Label("y"), Task::kBinary));
  EXPECT_EQ("HR3005 line 1", Failure("x,y\n", Label("y"), Task::kBinary));
  EXPECT_EQ("HR3005 line 1", Failure("x,z\n1,1\n", Label("y"), Task::kBinary));
  EXPECT_EQ("HR3005 line 1", Failure("x,x,y\n1,1,1\n", Label("y"), Task::kBinary));
  EXPECT_EQ("HR3005 line 1", Failure("y\n1\n", Label("y"), Task::kBinary));
  EXPECT_EQ("HR3005 line 1", Failure("a b,y\n1,1\n", Label("y"), Task::kBinary));
  EXPECT_EQ("HR3005 line 1", Failure(",y\n1,1\n", Label("y"), Task::kBinary));
  EXPECT_EQ("HR3005 line 3", Failure("x,y\n1,1\n1\n", Label("y"), Task::kBinary));
  EXPECT_EQ("HR3005 line 3", Failure("x,y\n1,1\nred,0\n", Label("y"), Task::kBinary));
  EXPECT_EQ("HR3008 line 2", Failure("x,y\n1,\n", Label("y"), Task::kRegression));
  EXPECT_EQ("HR3008 line 2", Failure("x,y\n1,1e200\n", Label("y"), Task::kRegression));
  EXPECT_EQ("HR3008 line 2", Failure("x,y\n1,1\n2,1\n", Label("y"), Task::kBinary));
  EXPECT_EQ("ok", Failure("x,y\n1,1\n2,1\n", Label("y"), Task::kRegression));
  EXPECT_EQ("HR3005 line 1", Failure("gr\xFC"
                                     "n,y\n1,1\n",
                                     Label("y"), Task::kBinary));
  ColumnChoice words = Label("y");
  words.categorical = {"x"};
  EXPECT_EQ("HR3005 line 3", Failure("x,y\na,1\ngr\xFC"
                                     "n,0\n",
                                     words, Task::kBinary));
  const Error error = ReadTable("x,y\n1,1\nred,0\n", Label("y"), Task::kBinary).error();
  EXPECT_NE(std::string::npos, error.hint().find("--categorical x")) << error.ToString();
}

TEST(Table, RefusesColumnsThatCannotBeWhatIsAskedOfThem) {
  const std::string csv = "a,b,y\n1,2,0\n1,2,1\n";
  ColumnChoice choice = Label("y");
  choice.features = {"a", "y"};
  EXPECT_EQ("HR3005 line 1", Failure(csv, choice, Task::kBinary));
  choice = Label("y");
  choice.ignored = {"z"};
  EXPECT_EQ("HR3005 line 1", Failure(csv, choice, Task::kBinary));
  choice = Label("y");
  choice.categorical = {"a"};
  choice.monotone = {{"a", 1}};
  EXPECT_EQ("HR3005 line 1", Failure(csv, choice, Task::kBinary));
  choice = Label("y");
  choice.features = {"a"};
  choice.monotone = {{"b", 1}};
  EXPECT_EQ("HR3005 line 1", Failure(csv, choice, Task::kBinary));
}

}  // namespace
}  // namespace headrace::train
