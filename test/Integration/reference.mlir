// Results that can be worked out by hand.
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-lower-to-reference,convert-elementwise-to-linalg,\
// RUN:   one-shot-bufferize{bufferize-function-boundaries=1},convert-linalg-to-loops,expand-strided-metadata,\
// RUN:   lower-affine,convert-scf-to-cf,arith-expand,convert-math-to-llvm,convert-math-to-libm,convert-to-llvm,\
// RUN:   reconcile-unrealized-casts)' \
// RUN: | mlir-runner -e main --entry-point-result=void \
// RUN:   --shared-libs=%mlir_lib_dir/libmlir_runner_utils.so,%mlir_lib_dir/libmlir_c_runner_utils.so | FileCheck %s

func.func private @printMemrefF32(tensor<*xf32>)

// Equal scores: the mean of what the mask admits. log 3 and key weight 3 both
// count a key three times.
func.func @mean(%q: tensor<3x2xf32>, %k: tensor<3x2xf32>, %v: tensor<3x1xf32>) {
  %0 = attn.attention %q, %k, %v scale 1.0 mask causal
     : tensor<3x2xf32>, tensor<3x2xf32>, tensor<3x1xf32> -> tensor<3x1xf32>
  %u0 = tensor.cast %0 : tensor<3x1xf32> to tensor<*xf32>
  call @printMemrefF32(%u0) : (tensor<*xf32>) -> ()
  %bias = arith.constant dense<[[0.0, 0.0, 1.0986122886681098]]> : tensor<1x3xf32>
  %1 = attn.attention %q, %k, %v bias(%bias : tensor<1x3xf32>) scale 1.0
     : tensor<3x2xf32>, tensor<3x2xf32>, tensor<3x1xf32> -> tensor<3x1xf32>
  %u1 = tensor.cast %1 : tensor<3x1xf32> to tensor<*xf32>
  call @printMemrefF32(%u1) : (tensor<*xf32>) -> ()
  %w = arith.constant dense<[1.0, 1.0, 3.0]> : tensor<3xf32>
  %2 = attn.attention %q, %k, %v key_weights(%w : tensor<3xf32>) scale 1.0
     : tensor<3x2xf32>, tensor<3x2xf32>, tensor<3x1xf32> -> tensor<3x1xf32>
  %u2 = tensor.cast %2 : tensor<3x1xf32> to tensor<*xf32>
  call @printMemrefF32(%u2) : (tensor<*xf32>) -> ()
  return
}

// Three queries stand at the end of two keys: the first stands before any.
func.func @first_row_is_empty(%q: tensor<3x2xf32>, %k: tensor<2x2xf32>, %v: tensor<2x1xf32>) {
  %0 = attn.attention %q, %k, %v scale 1.0 mask causal<align = end>
     : tensor<3x2xf32>, tensor<2x2xf32>, tensor<2x1xf32> -> tensor<3x1xf32>
  %u0 = tensor.cast %0 : tensor<3x1xf32> to tensor<*xf32>
  call @printMemrefF32(%u0) : (tensor<*xf32>) -> ()
  return
}

// Kernel 1 + s with scores 0, 1, 2: weights 1, 2, 3.
func.func @polynomial(%k: tensor<3x1xf32>, %v: tensor<3x1xf32>) {
  %q = arith.constant dense<2.0> : tensor<1x1xf32>
  %0 = attn.attention %q, %k, %v scale 0.5 kernel poly<[1.0, 1.0]>
     : tensor<1x1xf32>, tensor<3x1xf32>, tensor<3x1xf32> -> tensor<1x1xf32>
  %u0 = tensor.cast %0 : tensor<1x1xf32> to tensor<*xf32>
  call @printMemrefF32(%u0) : (tensor<*xf32>) -> ()
  return
}

// Four query heads on two key heads, one key each: heads 0, 1 give the first.
func.func @shared_heads(%q: tensor<4x1x2xf32>, %k: tensor<2x1x2xf32>) {
  %v = arith.constant dense<[[[5.0]], [[7.0]]]> : tensor<2x1x1xf32>
  %0 = attn.attention %q, %k, %v scale 1.0
     : tensor<4x1x2xf32>, tensor<2x1x2xf32>, tensor<2x1x1xf32> -> tensor<4x1x1xf32>
  %u0 = tensor.cast %0 : tensor<4x1x1xf32> to tensor<*xf32>
  call @printMemrefF32(%u0) : (tensor<*xf32>) -> ()
  return
}

func.func @main() {
  %q = arith.constant dense<0.0> : tensor<3x2xf32>
  %v = arith.constant dense<[[6.0], [12.0], [0.0]]> : tensor<3x1xf32>
  // CHECK:      data =
  // CHECK-NEXT: [6],
  // CHECK-NEXT: [9],
  // CHECK-NEXT: [6]]
  // (6 + 12) / 5, once by bias and once by weight.
  // CHECK:      data =
  // CHECK-NEXT: [3.6],
  // CHECK:      data =
  // CHECK-NEXT: [3.6],
  call @mean(%q, %q, %v) : (tensor<3x2xf32>, tensor<3x2xf32>, tensor<3x1xf32>) -> ()

  %k2 = arith.constant dense<0.0> : tensor<2x2xf32>
  %v2 = arith.constant dense<[[2.0], [4.0]]> : tensor<2x1xf32>
  // CHECK:      data =
  // CHECK-NEXT: [0],
  // CHECK-NEXT: [2],
  // CHECK-NEXT: [3]]
  call @first_row_is_empty(%q, %k2, %v2) : (tensor<3x2xf32>, tensor<2x2xf32>, tensor<2x1xf32>) -> ()

  %k3 = arith.constant dense<[[0.0], [1.0], [2.0]]> : tensor<3x1xf32>
  // (1 * 6 + 2 * 12 + 3 * 0) / 6
  // CHECK:      data =
  // CHECK-NEXT: [5]
  call @polynomial(%k3, %v) : (tensor<3x1xf32>, tensor<3x1xf32>) -> ()

  %q4 = arith.constant dense<1.0> : tensor<4x1x2xf32>
  %k4 = arith.constant dense<3.0> : tensor<2x1x2xf32>
  // CHECK:      data =
  // CHECK-NEXT: [5]
  // CHECK-NEXT: [5]
  // CHECK-NEXT: [7]
  // CHECK-NEXT: [7]
  call @shared_heads(%q4, %k4) : (tensor<4x1x2xf32>, tensor<2x1x2xf32>) -> ()
  return
}
