// Products that compute something else on the way are no products of an adapter, though linalg takes them for
// contractions; the same program with plain ones is a layer.
//
// RUN: polyattn-opt %s --attn-raise | FileCheck %s

#rk = affine_map<(i, j, k) -> (i, k)>
#kc = affine_map<(i, j, k) -> (k, j)>
#rc = affine_map<(i, j, k) -> (i, j)>
#ij = affine_map<(i, j) -> (i, j)>

// CHECK-LABEL: func.func @plain
// CHECK: attn.lora_linear %{{.*}} scale 2.0
func.func @plain(%x: tensor<5x8xf32>, %w: tensor<8x6xf32>, %a: tensor<8x2xf32>, %b: tensor<2x6xf32>) -> tensor<5x6xf32> {
  %zero = arith.constant 0.0 : f32
  %two = arith.constant 2.0 : f32
  %e = tensor.empty() : tensor<5x6xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<5x6xf32>) -> tensor<5x6xf32>
  %er = tensor.empty() : tensor<5x2xf32>
  %zr = linalg.fill ins(%zero : f32) outs(%er : tensor<5x2xf32>) -> tensor<5x2xf32>
  %xw = linalg.matmul ins(%x, %w : tensor<5x8xf32>, tensor<8x6xf32>) outs(%z : tensor<5x6xf32>) -> tensor<5x6xf32>
  %xa = linalg.generic {indexing_maps = [#rk, #kc, #rc], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %a : tensor<5x8xf32>, tensor<8x2xf32>) outs(%zr : tensor<5x2xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<5x2xf32>
  %xab = linalg.matmul ins(%xa, %b : tensor<5x2xf32>, tensor<2x6xf32>) outs(%z : tensor<5x6xf32>) -> tensor<5x6xf32>
  %y = linalg.generic {indexing_maps = [#ij, #ij, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%xw, %xab : tensor<5x6xf32>, tensor<5x6xf32>) outs(%e : tensor<5x6xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %t = arith.mulf %r, %two : f32
    %s = arith.addf %l, %t : f32
    linalg.yield %s : f32
  } -> tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}

// CHECK-LABEL: func.func @of_exp
// CHECK-NOT: = attn.
// CHECK: return
func.func @of_exp(%x: tensor<5x8xf32>, %w: tensor<8x6xf32>, %a: tensor<8x2xf32>, %b: tensor<2x6xf32>) -> tensor<5x6xf32> {
  %zero = arith.constant 0.0 : f32
  %two = arith.constant 2.0 : f32
  %e = tensor.empty() : tensor<5x6xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<5x6xf32>) -> tensor<5x6xf32>
  %er = tensor.empty() : tensor<5x2xf32>
  %zr = linalg.fill ins(%zero : f32) outs(%er : tensor<5x2xf32>) -> tensor<5x2xf32>
  %xw = linalg.matmul ins(%x, %w : tensor<5x8xf32>, tensor<8x6xf32>) outs(%z : tensor<5x6xf32>) -> tensor<5x6xf32>
  %xa = linalg.generic {indexing_maps = [#rk, #kc, #rc], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %a : tensor<5x8xf32>, tensor<8x2xf32>) outs(%zr : tensor<5x2xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %f = math.exp %r : f32
    %p = arith.mulf %l, %f : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<5x2xf32>
  %xab = linalg.matmul ins(%xa, %b : tensor<5x2xf32>, tensor<2x6xf32>) outs(%z : tensor<5x6xf32>) -> tensor<5x6xf32>
  %y = linalg.generic {indexing_maps = [#ij, #ij, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%xw, %xab : tensor<5x6xf32>, tensor<5x6xf32>) outs(%e : tensor<5x6xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %t = arith.mulf %r, %two : f32
    %s = arith.addf %l, %t : f32
    linalg.yield %s : f32
  } -> tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}

// An adapter over 0 has no finite scale.
//
// CHECK-LABEL: func.func @over_zero
// CHECK-NOT: = attn.
// CHECK: return
func.func @over_zero(%x: tensor<5x8xf32>, %w: tensor<8x6xf32>, %a: tensor<8x2xf32>, %b: tensor<2x6xf32>) -> tensor<5x6xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<5x6xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<5x6xf32>) -> tensor<5x6xf32>
  %er = tensor.empty() : tensor<5x2xf32>
  %zr = linalg.fill ins(%zero : f32) outs(%er : tensor<5x2xf32>) -> tensor<5x2xf32>
  %xw = linalg.matmul ins(%x, %w : tensor<5x8xf32>, tensor<8x6xf32>) outs(%z : tensor<5x6xf32>) -> tensor<5x6xf32>
  %xa = linalg.generic {indexing_maps = [#rk, #kc, #rc], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %a : tensor<5x8xf32>, tensor<8x2xf32>) outs(%zr : tensor<5x2xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %p = arith.mulf %l, %r : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<5x2xf32>
  %xab = linalg.matmul ins(%xa, %b : tensor<5x2xf32>, tensor<2x6xf32>) outs(%z : tensor<5x6xf32>) -> tensor<5x6xf32>
  %y = linalg.generic {indexing_maps = [#ij, #ij, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%xw, %xab : tensor<5x6xf32>, tensor<5x6xf32>) outs(%e : tensor<5x6xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %t = arith.divf %r, %zero : f32
    %s = arith.addf %l, %t : f32
    linalg.yield %s : f32
  } -> tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}
