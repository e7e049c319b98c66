#pragma once

#include <cstdint>
#include <string>

#include "engine/deployment.h"
#include "engine/feature_request.h"
#include "log/log.h"

namespace headrace::engine {

// Rows at the end of a stream that say how fresh a feature is and how often it is NULL.
inline constexpr int64_t kFeatureSampleRows = 1000;

// {"features":[…]}: each column that is computed from the past of a key, with its definition, type
// and entity; where it comes from and who reads it, models among them; how fresh it is at
// `now_micros` and how many of the last kFeatureSampleRows rows have no value. `only` is
// STREAM:FEATURE, or empty for all. Errors: HR4092 no such feature, and those of reading rows.
Result<std::string> DescribeFeatures(const log::Log& log, const Deployment& deployment,
                                     int64_t now_micros, const std::string& only);

// {"values":[{"feature","status","value","event_time"}…]}: an answer about one entity; the
// status is "present", "null" or "not_found".
std::string FeatureValuesJson(const FeatureRequest& request, const FeatureAnswer& answer);

}  // namespace headrace::engine
