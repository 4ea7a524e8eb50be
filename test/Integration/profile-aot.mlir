// A program that is linked with the library leaves its profile in a file.
// RUN: rm -f %t.json
// RUN: polyattn-opt %s --attn-instrument --attn-to-llvm=threads=false > %t.mlir
// RUN: env POLYATTN_PROFILE_OUT=%t.json mlir-runner %t.mlir -e main --entry-point-result=void \
// RUN:   --shared-libs=%mlir_lib_dir/libmlir_c_runner_utils.so,%profile_lib
// RUN: FileCheck %s --input-file=%t.json
// RUN: env POLYATTN_PROFILE_OUT=%t.json POLYATTN_PROFILE_MERGE=1 mlir-runner %t.mlir -e main --entry-point-result=void \
// RUN:   --shared-libs=%mlir_lib_dir/libmlir_c_runner_utils.so,%profile_lib
// RUN: FileCheck %s --check-prefix=MERGED --input-file=%t.json
// Without the variable nothing is written.
// RUN: rm %t.json
// RUN: mlir-runner %t.mlir -e main --entry-point-result=void \
// RUN:   --shared-libs=%mlir_lib_dir/libmlir_c_runner_utils.so,%profile_lib
// RUN: not ls %t.json

// Keys 3, 5 with mean 4; scale 2.
// CHECK: "main/0:q1x1:k2x1:v1:f32:full:2": {
// CHECK: "calls": 1,
// CHECK: "max_query": 2,
// CHECK: "max_key": 5,
// CHECK: "max_centred_key": 1,
// CHECK: "max_value": 5,
// CHECK: "bound": 20,
// CHECK: "centred_bound": 4,
// CHECK: "least_score": -20,
// CHECK: "largest_score": -12,
// CHECK: "second_moment": 16,
// CHECK: "least_mean": 0,
// CHECK: "score_range": 8
// MERGED: "calls": 2,
func.func @main() {
  %q = arith.constant dense<-2.0> : tensor<1x1xf32>
  %k = arith.constant dense<[[3.0], [5.0]]> : tensor<2x1xf32>
  %o = attn.attention %q, %k, %k scale 2.0 : tensor<1x1xf32>, tensor<2x1xf32>, tensor<2x1xf32> -> tensor<1x1xf32>
  %zero = arith.constant 0 : index
  %x = tensor.extract %o[%zero, %zero] : tensor<1x1xf32>
  vector.print %x : f32
  return
}
