#pragma once

#include <string>

namespace headrace::model {

// Two trees over three features, written by hand: x (NaN goes left), kind (categories 1 and 3 go
// left), y (zero and NaN go right).
//   tree 0: x <= 2.5 ? (kind in {1,3} ? 0.5 : -0.25) : 1
//   tree 1: y <= 10 ? 0.125 : -2
inline std::string HandMadeLightGbm(const std::string& objective = "binary sigmoid:1") {
  return "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
         "max_feature_idx=2\nobjective=" +
         objective +
         "\nfeature_names=x kind y\nfeature_infos=[0:9] 1:3 [0:20]\n\n"
         "Tree=0\nnum_leaves=3\nnum_cat=1\nsplit_feature=0 1\nthreshold=2.5 0\n"
         "decision_type=10 1\nleft_child=1 -1\nright_child=-3 -2\nleaf_value=0.5 -0.25 1\n"
         "leaf_count=2 4 4\ninternal_count=10 6\ncat_boundaries=0 1\ncat_threshold=10\n"
         "is_linear=0\nshrinkage=1\n\n\n"
         "Tree=1\nnum_leaves=2\nnum_cat=0\nsplit_feature=2\nthreshold=10\ndecision_type=4\n"
         "left_child=-1\nright_child=-2\nleaf_value=0.125 -2\nleaf_count=5 5\n"
         "internal_count=10\nis_linear=0\nshrinkage=1\n\n\nend of trees\n";
}

// One tree over features a and b: a < 1.5 ? 0.25 : (b < -3 ? -1 : 2), NaN of a goes right, of b
// left; base score 0.5 in the prediction's space.
inline std::string HandMadeXgboost(const std::string& objective = "binary:logistic",
                                   const std::string& base_score = "[5E-1]") {
  return R"({"learner":{"feature_names":["a","b"],"feature_types":["float","float"],)"
         R"("gradient_booster":{"model":{"gbtree_model_param":{"num_parallel_tree":"1",)"
         R"("num_trees":"1"},"tree_info":[0],"trees":[{"categories":[],"categories_nodes":[],)"
         R"("categories_segments":[],"categories_sizes":[],"default_left":[0,0,1,0,0],"id":0,)"
         R"("left_children":[1,-1,3,-1,-1],"right_children":[2,-1,4,-1,-1],)"
         R"("split_conditions":[1.5,2.5E-1,-3,-1,2],"split_indices":[0,0,1,0,0],)"
         R"("split_type":[0,0,0,0,0],"sum_hessian":[10,4,6,2,4],)"
         R"("tree_param":{"num_deleted":"0","num_feature":"2","num_nodes":"5",)"
         R"("size_leaf_vector":"1"}}]},"name":"gbtree"},)"
         R"("learner_model_param":{"base_score":")" +
         base_score + R"(","num_class":"0","num_feature":"2","num_target":"1"},)" +
         R"("objective":{"name":")" + objective + R"("}},"version":[3,1,0]})";
}

}  // namespace headrace::model
