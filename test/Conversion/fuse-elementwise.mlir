// RUN: polyattn-opt %s -split-input-file -attn-fuse-elementwise | FileCheck %s

#ij = affine_map<(i, j) -> (i, j)>
#i = affine_map<(i, j) -> (i)>
#j = affine_map<(i, j) -> (j)>

// A contraction takes a transposition in, but not the arithmetic before it; what
// follows it becomes one op.
// CHECK-LABEL: func.func @contraction
// CHECK: linalg.generic {{.*}}ins(%arg0
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.addf
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #{{.*}}, #{{.*}}], iterator_types = ["parallel", "parallel", "reduction"]} ins(%{{.*}}, %arg1 :
// CHECK: arith.mulf
// CHECK-NEXT: arith.addf
// CHECK-NEXT: linalg.yield
// CHECK: linalg.generic
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.addf
// CHECK-NEXT: math.tanh
// CHECK-NOT: linalg.generic
func.func @contraction(%a: tensor<8x16xf32>, %w: tensor<32x16xf32>, %bias: tensor<32xf32>) -> tensor<8x32xf32> {
  %zero = arith.constant 0.0 : f32
  %e0 = tensor.empty() : tensor<8x16xf32>
  %x = linalg.generic {indexing_maps = [#ij, #ij], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.addf %p, %p : f32
    linalg.yield %s : f32
  } -> tensor<8x16xf32>
  %e1 = tensor.empty() : tensor<16x32xf32>
  %t = linalg.transpose ins(%w : tensor<32x16xf32>) outs(%e1 : tensor<16x32xf32>) permutation = [1, 0]
  %e2 = tensor.empty() : tensor<8x32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e2 : tensor<8x32xf32>) -> tensor<8x32xf32>
  %m = linalg.matmul ins(%x, %t : tensor<8x16xf32>, tensor<16x32xf32>) outs(%f : tensor<8x32xf32>) -> tensor<8x32xf32>
  %b = linalg.generic {indexing_maps = [#ij, #j, #ij], iterator_types = ["parallel", "parallel"]} ins(%m, %bias : tensor<8x32xf32>, tensor<32xf32>) outs(%e2 : tensor<8x32xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<8x32xf32>
  %r = linalg.tanh ins(%b : tensor<8x32xf32>) outs(%e2 : tensor<8x32xf32>) -> tensor<8x32xf32>
  return %r : tensor<8x32xf32>
}

// -----

#ij = affine_map<(i, j) -> (i, j)>
#i = affine_map<(i, j) -> (i)>
#j = affine_map<(i, j) -> (j)>

// One square root for each row goes where lanes run along the row; one for each
// column would be computed for every row and stays.
// CHECK-LABEL: func.func @rows_and_columns
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel"]} ins(%arg2
// CHECK: math.sqrt
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]}
// CHECK: math.sqrt
// CHECK: arith.mulf
// CHECK: arith.mulf
// CHECK-NOT: linalg.generic
func.func @rows_and_columns(%a: tensor<8x16xf32>, %rows: tensor<8xf32>, %columns: tensor<16xf32>) -> tensor<8x16xf32> {
  %e0 = tensor.empty() : tensor<8xf32>
  %r = linalg.sqrt ins(%rows : tensor<8xf32>) outs(%e0 : tensor<8xf32>) -> tensor<8xf32>
  %e1 = tensor.empty() : tensor<16xf32>
  %c = linalg.sqrt ins(%columns : tensor<16xf32>) outs(%e1 : tensor<16xf32>) -> tensor<16xf32>
  %e2 = tensor.empty() : tensor<8x16xf32>
  %x = linalg.generic {indexing_maps = [#ij, #i, #j, #ij], iterator_types = ["parallel", "parallel"]} ins(%a, %r, %c : tensor<8x16xf32>, tensor<8xf32>, tensor<16xf32>) outs(%e2 : tensor<8x16xf32>) {
  ^bb0(%p: f32, %q: f32, %s: f32, %o: f32):
    %t = arith.mulf %p, %q : f32
    %u = arith.mulf %t, %s : f32
    linalg.yield %u : f32
  } -> tensor<8x16xf32>
  return %x : tensor<8x16xf32>
}

// -----

#ij = affine_map<(i, j) -> (i, j)>
#i = affine_map<(i, j) -> (i)>

// A conversion with two users is made twice rather than stored; an exponential
// with two users is stored.
// CHECK-LABEL: func.func @users
// CHECK: linalg.generic
// CHECK-NEXT: ^bb0
// CHECK-NEXT: math.exp
// CHECK-NEXT: linalg.yield
// CHECK: ["parallel", "reduction"]
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.extf
// CHECK-NEXT: arith.addf
// CHECK: linalg.generic
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.extf
// CHECK-NEXT: arith.mulf
// CHECK-NOT: linalg.generic
func.func @users(%a: tensor<8x16xf32>, %init: tensor<8xf64>) -> (tensor<8xf64>, tensor<8x16xf64>) {
  %e0 = tensor.empty() : tensor<8x16xf32>
  %x = linalg.exp ins(%a : tensor<8x16xf32>) outs(%e0 : tensor<8x16xf32>) -> tensor<8x16xf32>
  %e1 = tensor.empty() : tensor<8x16xf64>
  %w = linalg.generic {indexing_maps = [#ij, #ij], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<8x16xf32>) outs(%e1 : tensor<8x16xf64>) {
  ^bb0(%p: f32, %o: f64):
    %s = arith.extf %p : f32 to f64
    linalg.yield %s : f64
  } -> tensor<8x16xf64>
  %s = linalg.generic {indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]} ins(%w : tensor<8x16xf64>) outs(%init : tensor<8xf64>) {
  ^bb0(%p: f64, %o: f64):
    %t = arith.addf %o, %p : f64
    linalg.yield %t : f64
  } -> tensor<8xf64>
  %q = linalg.square ins(%w : tensor<8x16xf64>) outs(%e1 : tensor<8x16xf64>) -> tensor<8x16xf64>
  return %s, %q : tensor<8xf64>, tensor<8x16xf64>
}

// -----

// Upstream makes the first type static, and then dynamic again for the second
// op, without end.
#ij = affine_map<(i, j) -> (i, j)>
#ijk = affine_map<(i, j, k) -> (i, j)>
#ik = affine_map<(i, j, k) -> (i, k)>
// CHECK-LABEL: func.func @patterns_that_undo_each_other
// CHECK-COUNT-2: linalg.generic
func.func @patterns_that_undo_each_other(%v: tensor<?x6xf32>) -> tensor<?x4xf32> {
  %c6 = arith.constant 6 : index
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%c6) : tensor<?x4xf32>
  %g = linalg.generic {indexing_maps = [#ij], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<?x4xf32>) {
  ^bb0(%o: f32):
    linalg.yield %zero : f32
  } -> tensor<?x4xf32>
  %s = linalg.generic {indexing_maps = [#ik, #ijk], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%v : tensor<?x6xf32>) outs(%g : tensor<?x4xf32>) {
  ^bb0(%x: f32, %o: f32):
    %r = arith.addf %o, %x : f32
    linalg.yield %r : f32
  } -> tensor<?x4xf32>
  return %s : tensor<?x4xf32>
}
