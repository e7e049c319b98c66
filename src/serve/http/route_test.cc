#include "serve/http/route.h"

#include <string>

#include <gtest/gtest.h>

namespace headrace::serve {
namespace {

RouteKind KindOf(const char* target) {
  auto route = ParseRoute(target);
  return route.ok() ? route->kind : RouteKind::kUnknown;
}

TEST(Route, KnowsEveryPath) {
  EXPECT_EQ(KindOf("/"), RouteKind::kIndex);
  EXPECT_EQ(KindOf("/api/v1/topics/p/events"), RouteKind::kEvents);
  EXPECT_EQ(KindOf("/api/v1/sql"), RouteKind::kSql);
  EXPECT_EQ(KindOf("/api/v1/streams"), RouteKind::kStreams);
  EXPECT_EQ(KindOf("/api/v1/streams/s/rows?from=1"), RouteKind::kRows);
  EXPECT_EQ(KindOf("/api/v1/views/v"), RouteKind::kView);
  EXPECT_EQ(KindOf("/api/v1/decisions/d:0:1"), RouteKind::kDecision);
  EXPECT_EQ(KindOf("/livez"), RouteKind::kLive);
  EXPECT_EQ(KindOf("/readyz"), RouteKind::kReady);
  EXPECT_EQ(KindOf("/startupz"), RouteKind::kStartup);
  EXPECT_EQ(KindOf("/metrics"), RouteKind::kMetrics);
  for (const char* other : {"/api", "/api/v1", "/api/v2/sql", "/api/v1/sql/x", "/livez/x",
                            "/api/v1/topics//events", "/api/v1/topics/p/rows", "/x", "//"}) {
    EXPECT_EQ(KindOf(other), RouteKind::kUnknown) << other;
  }
}

TEST(Route, DecodesNamesAndParametersOnce) {
  auto route = ParseRoute("/api/v1/views/b%C3%A9%2520?key=a+b%26c&x");
  ASSERT_TRUE(route.ok());
  EXPECT_EQ(route->name, "b\u00e9%20");
  EXPECT_EQ(*route->Find("key"), "a b&c");
  EXPECT_EQ(*route->Find("x"), "");
  EXPECT_EQ(route->Find("y"), nullptr);
}

TEST(Route, RefusesWhatCouldMeanTwoThings) {
  for (const char* bad : {"",           "x",
                          "http://x/",  "*",
                          "/..",        "/api/v1/streams/%2e%2e/rows",
                          "/a/./b",     "/a%2fb",
                          "/a%5cb",     "/a%00b",
                          "/a%0ab",     "/%",
                          "/%4",        "/%zz",
                          "/%ff",       "/%c0%af",
                          "/%ed%a0%80", "/?a=1&a=2",
                          "/?a=%",      "/1/2/3/4/5/6/7/8/9"}) {
    EXPECT_FALSE(ParseRoute(bad).ok()) << bad;
  }
  EXPECT_FALSE(ParseRoute("/" + std::string(1025, 'a')).ok());
}

TEST(Route, ChecksParameters) {
  auto route = ParseRoute("/livez?n=12&neg=-1&big=9223372036854775808&t=true&f=FALSE&e=");
  ASSERT_TRUE(route.ok());
  EXPECT_EQ(*route->Number("n", 0, 100), 12);
  EXPECT_EQ(*route->Number("absent", 7, 100), 7);
  EXPECT_FALSE(route->Number("n", 0, 11).ok());
  EXPECT_FALSE(route->Number("neg", 0, 100).ok());
  EXPECT_FALSE(route->Number("big", 0, INT64_MAX).ok());
  EXPECT_FALSE(route->Number("e", 0, 100).ok());
  EXPECT_TRUE(*route->Flag("t", false));
  EXPECT_FALSE(route->Flag("f", false).ok());
  EXPECT_FALSE(route->Only({"n", "neg"}).ok());
  EXPECT_TRUE(route->Only({"n", "neg", "big", "t", "f", "e"}).ok());
}

}  // namespace
}  // namespace headrace::serve
