// RUN: polyattn-opt %s --attn-infer-bounds | FileCheck %s
// RUN: polyattn-opt %s --attn-infer-bounds --remarks-filter='polyattn.*' -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: polyattn-opt %s --attn-infer-bounds=assume-inputs=0.5 | FileCheck %s --check-prefix=ASSUMED
// What is proved needs no guard; running the pass again changes nothing.
// RUN: polyattn-opt %s --attn-infer-bounds -o %t.once
// RUN: polyattn-opt %t.once --attn-infer-bounds -o %t.twice
// RUN: diff %t.once %t.twice
// RUN: polyattn-opt %s --attn-infer-bounds --attn-approximate='force target=avx512' --attn-verify-certificates | FileCheck %s --check-prefix=APPROXIMATED

// sqrt(4) * sqrt(4) / 2.
// CHECK-LABEL: @bounded
// CHECK: attn.attention {{.*}} scale 5.000000e-01 bound <2.0000{{[0-9]+}}, proved> :
// REMARK: [Passed] ScoreBound | Category:polyattn:attn-infer-bounds | Function=bounded | KeyNorm=2.0000{{[0-9]+}}, QueryNorm=2.0000{{[0-9]+}},
// REMARK-SAME: Remark="score bound 2 (proved): 0.5 * |q| <= 2 (math.tanh at infer-bounds.mlir:[[@LINE+2]]) * |k| <= 2 (math.tanh at infer-bounds.mlir:[[@LINE+4]])", ScoreBound=2.0000{{[0-9]+}}
func.func @bounded(%x: tensor<2x8x4xf32>, %y: tensor<2x8x4xf32>) -> tensor<2x8x4xf32> {
  %q = math.tanh %x : tensor<2x8x4xf32>

  %k = math.tanh %y : tensor<2x8x4xf32>
  %o = attn.attention %q, %k, %y scale 0.5 : tensor<2x8x4xf32>, tensor<2x8x4xf32>, tensor<2x8x4xf32> -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// A smaller bound stays, whatever its source; a larger one gives way, or is
// lowered if it has moments.
// CHECK-LABEL: @has_bounds
// CHECK: scale 5.000000e-01 bound <1.000000e-01, declared> :
// CHECK: scale 5.000000e-01 bound <2.0000{{[0-9]+}}, profiled, moments = <centred_bound = 1.500000e+00, second_moment = 1.000000e-01>> :
// REMARK: Function=has_bounds {{.*}} the smaller bound 0.1 (declared) that the op has stays"
// REMARK: Function=has_bounds
// APPROXIMATED-LABEL: @has_bounds
// APPROXIMATED: attn.check_bound
func.func @has_bounds(%x: tensor<2x8x4xf32>, %y: tensor<2x8x4xf32>) -> (tensor<2x8x4xf32>, tensor<2x8x4xf32>) {
  %q = math.tanh %x : tensor<2x8x4xf32>
  %o = attn.attention %q, %q, %y scale 0.5 bound <0.1, declared> : tensor<2x8x4xf32>, tensor<2x8x4xf32>, tensor<2x8x4xf32> -> tensor<2x8x4xf32>
  %p = attn.attention %q, %q, %y scale 0.5 bound <7.0, profiled, moments = <centred_bound = 1.5, second_moment = 0.1>> : tensor<2x8x4xf32>, tensor<2x8x4xf32>, tensor<2x8x4xf32> -> tensor<2x8x4xf32>
  return %o, %p : tensor<2x8x4xf32>, tensor<2x8x4xf32>
}

// Heads with gains of their own; two query heads share a key head.
// CHECK-LABEL: @heads
// CHECK: bound <{{8.0000[0-9]+}}, proved> head_bounds [#attn.bound<1.0000{{[0-9]+}}, proved>, #attn.bound<2.0000{{[0-9]+}}, proved>, #attn.bound<6.0000{{[0-9]+}}, proved>, #attn.bound<8.0000{{[0-9]+}}, proved>]
// REMARK: Function=heads {{.*}}; by head: 1, 2, 6, 8"
func.func @heads(%x: tensor<4x8x4xf32>, %y: tensor<2x8x4xf32>) -> tensor<4x8x4xf32> {
  %gain = arith.constant dense<[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]> : tensor<4x1x1xf32>
  %keys = arith.constant dense<[[[0.5]], [[1.0]]]> : tensor<2x1x1xf32>
  %t = tosa.tanh %x : (tensor<4x8x4xf32>) -> tensor<4x8x4xf32>
  %u = tosa.tanh %y : (tensor<2x8x4xf32>) -> tensor<2x8x4xf32>
  %shift = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %q = tosa.mul %t, %gain, %shift : (tensor<4x8x4xf32>, tensor<4x1x1xf32>, tensor<1xi8>) -> tensor<4x8x4xf32>
  %k = tosa.mul %u, %keys, %shift : (tensor<2x8x4xf32>, tensor<2x1x1xf32>, tensor<1xi8>) -> tensor<2x8x4xf32>
  %o = attn.attention %q, %k, %y scale 0.5 : tensor<4x8x4xf32>, tensor<2x8x4xf32>, tensor<2x8x4xf32> -> tensor<4x8x4xf32>
  return %o : tensor<4x8x4xf32>
}

// Heads one by one: what is smaller stays.
// CHECK-LABEL: @has_head_bounds
// CHECK: bound <2.0000{{[0-9]+}}, proved> head_bounds [#attn.bound<1.500000e+00, declared>, #attn.bound<2.0000{{[0-9]+}}, proved>]
func.func @has_head_bounds(%x: tensor<2x8x4xf32>, %y: tensor<2x8x4xf32>) -> tensor<2x8x4xf32> {
  %q = math.tanh %x : tensor<2x8x4xf32>
  %o = attn.attention %q, %q, %y scale 0.5 bound <7.0, declared> head_bounds [#attn.bound<1.5, declared>, #attn.bound<7.0, declared>] : tensor<2x8x4xf32>, tensor<2x8x4xf32>, tensor<2x8x4xf32> -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// CHECK-LABEL: @unknown_key
// CHECK-NOT: bound
// REMARK: [Missed] NoScoreBound | {{.*}} Function=unknown_key | Remark="no bound of |k| is proved: nothing is known of argument 1"
// An assumption is no proof: the bound is declared, and guarded.
// ASSUMED-LABEL: @unknown_key
// ASSUMED: bound <0.50000{{[0-9]+}}, declared> :
func.func @unknown_key(%x: tensor<2x8x4xf32>, %y: tensor<2x8x4xf32>) -> tensor<2x8x4xf32> {
  %q = math.tanh %x : tensor<2x8x4xf32>
  %o = attn.attention %q, %y, %y scale 0.5 : tensor<2x8x4xf32>, tensor<2x8x4xf32>, tensor<2x8x4xf32> -> tensor<2x8x4xf32>
  return %o : tensor<2x8x4xf32>
}

// Dynamic lengths do not matter to the norm of a row.
// CHECK-LABEL: @dynamic
// CHECK: bound <2.0000{{[0-9]+}}, proved> :
func.func @dynamic(%x: tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {
  %q = math.tanh %x : tensor<?x?x4xf32>
  %o = attn.attention %q, %q, %x scale 0.5 : tensor<?x?x4xf32>, tensor<?x?x4xf32>, tensor<?x?x4xf32> -> tensor<?x?x4xf32>
  return %o : tensor<?x?x4xf32>
}
