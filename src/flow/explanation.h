#pragma once

#include <span>
#include <string>

#include "flow/plan.h"

namespace headrace::flow {

// What a model has to say for one score, as parts of JSON documents and of texts: the same in `why`
// and where a statement asks for it.

// {"feature": value, ..., "base": value}; of several outputs an array of these. `parts` as
// Model::Contributions gives them.
void AppendContributions(const model::ModelInfo& info, std::span<const double> parts,
                         std::string& out);
// [{"text": "...", "contribution": value}, ...]
void AppendReasons(const std::vector<model::Reason>& reasons, std::string& out);

// The answer to a prediction that is no score, for one row of features; false: there is none, as
// reasons of a model that declares none, or that cannot be explained. Pure.
bool Explain(const Prediction& prediction, const ModelVersions& versions, int32_t version,
             std::span<const double> features, std::string& out);

}  // namespace headrace::flow
