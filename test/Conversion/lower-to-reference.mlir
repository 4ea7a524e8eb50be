// RUN: polyattn-opt %s --attn-lower-to-reference --canonicalize --cse | FileCheck %s
// RUN: polyattn-opt %s --attn-lower-to-reference=compute-type=f64 | FileCheck %s --check-prefix=F64
// RUN: not polyattn-opt %s --attn-lower-to-reference=compute-type=f16 2>&1 | FileCheck %s --check-prefix=TYPE
// RUN: polyattn-opt %s --attn-lower-to-reference --mlir-print-op-generic | FileCheck %s --check-prefix=NONE

// TYPE: error: attn-lower-to-reference: compute-type is 'f16'; it must be auto, f32 or f64
// NONE-NOT: attn.
// F64-NOT: attn.

// CHECK-LABEL: func.func @attention(
// CHECK-SAME: %[[Q:.*]]: tensor<3x8xf32>, %[[K:.*]]: tensor<5x8xf32>, %[[V:.*]]: tensor<5x4xf32>
// F64-LABEL: func.func @attention(
// F64: arith.extf %{{.*}} : f32 to f64
// F64: math.exp %{{.*}} : f64
// F64: arith.truncf %{{.*}} : f64 to f32
func.func @attention(%q: tensor<3x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x4xf32>) -> tensor<3x4xf32> {
  // CHECK-DAG: %[[NEGINF:.*]] = arith.constant 0xFF800000 : f32
  // CHECK-DAG: %[[SCALE:.*]] = arith.constant 1.250000e-01 : f32
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
  // Products of query and key.
  // CHECK: %[[P0:.*]] = linalg.fill ins(%[[ZERO]] : f32) outs(%{{.*}} : tensor<3x5xf32>)
  // CHECK: %[[P:.*]] = linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction"]
  // CHECK-SAME: ins(%[[Q]], %[[K]] : {{.*}}) outs(%[[P0]]
  // CHECK: arith.mulf
  // CHECK: arith.addf
  // Scores.
  // CHECK: %[[S:.*]] = linalg.generic {{.*}} outs(%[[P]]
  // CHECK: arith.mulf %{{.*}}, %[[SCALE]]
  // Largest score of each row, or 0.
  // CHECK: %[[M0:.*]] = linalg.fill ins(%[[NEGINF]] : f32) outs(%{{.*}} : tensor<3xf32>)
  // CHECK: %[[M1:.*]] = linalg.generic {{.*}} ins(%[[S]] : {{.*}}) outs(%[[M0]]
  // CHECK: arith.maximumf
  // CHECK: %[[M:.*]] = linalg.generic {{.*}} outs(%[[M1]]
  // CHECK: %[[EMPTY:.*]] = arith.cmpf oeq, %{{.*}}, %[[NEGINF]]
  // CHECK: arith.select %[[EMPTY]], %[[ZERO]],
  // Weights.
  // CHECK: %[[W:.*]] = linalg.generic {{.*}} ins(%[[M]] : {{.*}}) outs(%[[S]]
  // CHECK: arith.subf
  // CHECK: math.exp
  // Sums over keys.
  // CHECK: %[[N:.*]] = linalg.generic {{.*}} ins(%[[W]], %[[V]] : {{.*}}) outs(%{{.*}} : tensor<3x4xf32>)
  // CHECK: %[[D:.*]] = linalg.generic {{.*}} ins(%[[W]] : {{.*}}) outs(%{{.*}} : tensor<3xf32>)
  // One division.
  // CHECK: %[[O:.*]] = linalg.generic {{.*}} ins(%[[N]], %[[D]]
  // CHECK: arith.divf
  // CHECK: return %[[O]]
  %0 = attn.attention %q, %k, %v scale 0.125 : tensor<3x8xf32>, tensor<5x8xf32>, tensor<5x4xf32> -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// A polynomial is not shifted: no maximum.
// CHECK-LABEL: func.func @polynomial(
// CHECK-NOT: maximumf
// CHECK: math.fma
// CHECK-NOT: math.exp
// CHECK: return
func.func @polynomial(%x: tensor<3x8xf32>) -> tensor<3x8xf32> {
  %0 = attn.attention %x, %x, %x scale 0.125 kernel poly<[1.0, 1.0, 0.5]>
     : tensor<3x8xf32>, tensor<3x8xf32>, tensor<3x8xf32> -> tensor<3x8xf32>
  return %0 : tensor<3x8xf32>
}

// The mask and key weights select, in the maximum, the weights and the values:
// what takes no part is never multiplied.
// CHECK-LABEL: func.func @selects(
// CHECK: arith.maximumf
// CHECK: arith.select
// CHECK: math.exp
// CHECK: linalg.index
// CHECK: arith.cmpi slt
// CHECK: arith.cmpf une
// CHECK: arith.select
// CHECK: linalg.index
// CHECK: arith.cmpf une
// CHECK: arith.select
// CHECK: arith.divf
func.func @selects(%x: tensor<3x8xf32>, %w: tensor<3xf32>) -> tensor<3x8xf32> {
  %0 = attn.attention %x, %x, %x key_weights(%w : tensor<3xf32>) scale 0.125 mask causal
     : tensor<3x8xf32>, tensor<3x8xf32>, tensor<3x8xf32> -> tensor<3x8xf32>
  return %0 : tensor<3x8xf32>
}

// auto computes f16 and bf16 in f32, f64 in f64.
// CHECK-LABEL: func.func @narrow(
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK: math.exp %{{.*}} : f32
// CHECK: arith.truncf %{{.*}} : f32 to f16
// CHECK: arith.extf %{{.*}} : bf16 to f32
// CHECK: arith.truncf %{{.*}} : f32 to bf16
func.func @narrow(%x: tensor<3x8xf16>, %y: tensor<3x8xbf16>) -> (tensor<3x8xf16>, tensor<3x8xbf16>) {
  %0 = attn.attention %x, %x, %x scale 0.125 : tensor<3x8xf16>, tensor<3x8xf16>, tensor<3x8xf16> -> tensor<3x8xf16>
  %1 = attn.attention %y, %y, %y scale 0.125 : tensor<3x8xbf16>, tensor<3x8xbf16>, tensor<3x8xbf16> -> tensor<3x8xbf16>
  return %0, %1 : tensor<3x8xf16>, tensor<3x8xbf16>
}

// CHECK-LABEL: func.func @wide(
// CHECK-NOT: f32
// CHECK: math.exp %{{.*}} : f64
// CHECK-NOT: f32
func.func @wide(%x: tensor<3x8xf64>) -> tensor<3x8xf64> {
  %0 = attn.attention %x, %x, %x scale 0.125 : tensor<3x8xf64>, tensor<3x8xf64>, tensor<3x8xf64> -> tensor<3x8xf64>
  return %0 : tensor<3x8xf64>
}

// Query head h reads key head h / 4, also where the group is not known.
// CHECK-LABEL: func.func @shared_heads(
// CHECK: %[[H:.*]] = linalg.index 1
// CHECK: %[[KH:.*]] = arith.divui %[[H]], %c4
// CHECK: tensor.extract %{{.*}}[%{{.*}}, %[[KH]], %{{.*}}, %{{.*}}]
func.func @shared_heads(%q: tensor<2x8x?x64xf32>, %k: tensor<2x2x?x64xf32>) -> tensor<2x8x?x64xf32> {
  %0 = attn.attention %q, %k, %k scale 0.125 : tensor<2x8x?x64xf32>, tensor<2x2x?x64xf32>, tensor<2x2x?x64xf32> -> tensor<2x8x?x64xf32>
  return %0 : tensor<2x8x?x64xf32>
}

// CHECK-LABEL: func.func @unknown_heads(
// CHECK-SAME: %[[Q:.*]]: tensor<?x4x8xf32>, %[[K:.*]]: tensor<?x4x8xf32>
// CHECK-DAG: %[[HQ:.*]] = tensor.dim %[[Q]], %c0
// CHECK-DAG: %[[HK:.*]] = tensor.dim %[[K]], %c0
// CHECK: %[[H:.*]] = linalg.index 0
// CHECK: %[[G:.*]] = arith.divui %[[HQ]], %[[HK]]
// CHECK: %[[KH:.*]] = arith.divui %[[H]], %[[G]]
// CHECK: tensor.extract %[[K]][%[[KH]],
func.func @unknown_heads(%q: tensor<?x4x8xf32>, %k: tensor<?x4x8xf32>) -> tensor<?x4x8xf32> {
  %0 = attn.attention %q, %k, %k scale 0.125 : tensor<?x4x8xf32>, tensor<?x4x8xf32>, tensor<?x4x8xf32> -> tensor<?x4x8xf32>
  return %0 : tensor<?x4x8xf32>
}

// Equal heads are read where they are.
// CHECK-LABEL: func.func @own_heads(
// CHECK-NOT: tensor.extract
// CHECK: return
func.func @own_heads(%q: tensor<2x8x?x64xf32>, %k: tensor<2x8x?x64xf32>) -> tensor<2x8x?x64xf32> {
  %0 = attn.attention %q, %k, %k scale 0.125 : tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32> -> tensor<2x8x?x64xf32>
  return %0 : tensor<2x8x?x64xf32>
}

// The op may say more about its shape than its operands do.
// F64-LABEL: func.func @refined(
// F64: tensor.cast %{{.*}} : tensor<?x?xf32> to tensor<3x4xf32>
func.func @refined(%q: tensor<?x?xf32>, %v: tensor<?x?xf32>) -> tensor<3x4xf32> {
  %0 = attn.attention %q, %q, %v scale 0.125 : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32> -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// Always in f64; ordered comparisons turn NaN down.
// CHECK-LABEL: func.func @check_bound(
// CHECK: arith.mulf %{{.*}}, %{{.*}} : f64
// CHECK: arith.maximumf
// CHECK: math.sqrt
// CHECK: math.sqrt
// CHECK-COUNT-3: arith.maximumf
// CHECK: arith.cmpf ole
// CHECK: return %{{.*}} : i1
func.func @check_bound(%q: tensor<4x?x64xf32>, %k: tensor<2x?x64xf32>) -> i1 {
  %0 = attn.check_bound %q, %k scale 0.125 bound 0.5 max_norm 1.0e9 : tensor<4x?x64xf32>, tensor<2x?x64xf32>
  return %0 : i1
}

// Second moments and means: sums over the keys that count, a comparison of each.
// CHECK-LABEL: func.func @check_moments(
// CHECK: arith.cmpf ole
// CHECK: arith.cmpf oge, {{.*}} : f64
// CHECK: arith.cmpf ole
// CHECK: arith.cmpf ole
// CHECK-NOT: attn.
func.func @check_moments(%q: tensor<4x?x64xf32>, %k: tensor<2x?x64xf32>, %w: tensor<1x?xf32>) -> i1 {
  %0 = attn.check_bound %q, %k key_weights(%w : tensor<1x?xf32>) scale 0.125 bound 0.5 max_norm 1.0e9 second_moment 0.1 mean 0.1 mask causal
     : tensor<4x?x64xf32>, tensor<2x?x64xf32>
  return %0 : i1
}

// CHECK-LABEL: func.func @center_keys(
// CHECK: arith.divf
// CHECK: arith.subf
// CHECK-NOT: attn.
func.func @center_keys(%k: tensor<2x?x64xbf16>) -> tensor<2x?x64xbf16> {
  %0 = attn.center_keys %k : tensor<2x?x64xbf16>
  return %0 : tensor<2x?x64xbf16>
}
