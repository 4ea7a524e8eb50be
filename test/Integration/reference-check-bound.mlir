// attn.check_bound is never true by mistake: limits, NaN, infinity, underflow.
// RUN: polyattn-opt %s --pass-pipeline='builtin.module(attn-lower-to-reference,\
// RUN:   one-shot-bufferize{bufferize-function-boundaries=1},convert-linalg-to-loops,expand-strided-metadata,\
// RUN:   lower-affine,convert-scf-to-cf,convert-math-to-llvm,convert-vector-to-llvm,convert-to-llvm,\
// RUN:   reconcile-unrealized-casts)' \
// RUN: | mlir-runner -e main --entry-point-result=void --shared-libs=%mlir_lib_dir/libmlir_c_runner_utils.so \
// RUN: | FileCheck %s

func.func @f32(%q: tensor<?x2xf32>, %k: tensor<?x2xf32>) {
  // |q| |k| = 5 * 2: scores up to 5.
  %0 = attn.check_bound %q, %k scale 0.5 bound 5.0001 max_norm 5.0001 : tensor<?x2xf32>, tensor<?x2xf32>
  vector.print %0 : i1
  %1 = attn.check_bound %q, %k scale 0.5 bound 4.9999 max_norm 5.0001 : tensor<?x2xf32>, tensor<?x2xf32>
  vector.print %1 : i1
  %2 = attn.check_bound %q, %k scale 0.5 bound 5.0001 max_norm 4.9999 : tensor<?x2xf32>, tensor<?x2xf32>
  vector.print %2 : i1
  %3 = attn.check_bound %k, %q scale -0.5 bound 5.0001 max_norm 4.9999 : tensor<?x2xf32>, tensor<?x2xf32>
  vector.print %3 : i1
  %4 = attn.check_bound %k, %q scale -0.5 bound 4.9999 max_norm 5.0001 : tensor<?x2xf32>, tensor<?x2xf32>
  vector.print %4 : i1
  return
}

func.func @loose(%q: tensor<2x1x2xf32>, %k: tensor<1x2x2xf32>) {
  %0 = attn.check_bound %q, %k scale 0.5 bound 1.0e300 max_norm 1.0e300 : tensor<2x1x2xf32>, tensor<1x2x2xf32>
  vector.print %0 : i1
  return
}

func.func @f64(%q: tensor<1x1xf64>, %k: tensor<1x1xf64>) {
  %0 = attn.check_bound %q, %k scale 1.0 bound 1.0e-30 max_norm 1.0e300 : tensor<1x1xf64>, tensor<1x1xf64>
  vector.print %0 : i1
  return
}

func.func @tiny_scale(%q: tensor<1x1xf64>, %k: tensor<1x1xf64>) {
  %0 = attn.check_bound %q, %k scale 1.0e-200 bound 1.0e-60 max_norm 1.0e300 : tensor<1x1xf64>, tensor<1x1xf64>
  vector.print %0 : i1
  return
}

func.func @f16(%q: tensor<1x1xf16>, %k: tensor<1x1xbf16>) {
  %0 = attn.check_bound %q, %q scale 1.0 bound 3.6e9 max_norm 7.0e4 : tensor<1x1xf16>, tensor<1x1xf16>
  vector.print %0 : i1
  %1 = attn.check_bound %k, %k scale 1.0 bound 3.6e9 max_norm 7.0e4 : tensor<1x1xbf16>, tensor<1x1xbf16>
  vector.print %1 : i1
  return
}

func.func @main() {
  %q = arith.constant dense<[[3.0, 4.0], [1.0, 0.0]]> : tensor<2x2xf32>
  %k = arith.constant dense<[[0.0, -2.0]]> : tensor<1x2xf32>
  %qd = tensor.cast %q : tensor<2x2xf32> to tensor<?x2xf32>
  %kd = tensor.cast %k : tensor<1x2xf32> to tensor<?x2xf32>
  // CHECK:      1
  // CHECK-NEXT: 0
  // CHECK-NEXT: 0
  // CHECK-NEXT: 0
  // CHECK-NEXT: 0
  call @f32(%qd, %kd) : (tensor<?x2xf32>, tensor<?x2xf32>) -> ()
  // No row at all keeps within any bound.
  %none = arith.constant dense<> : tensor<0x2xf32>
  %noned = tensor.cast %none : tensor<0x2xf32> to tensor<?x2xf32>
  // CHECK-NEXT: 1
  // CHECK-NEXT: 1
  // CHECK-NEXT: 1
  // CHECK-NEXT: 1
  // CHECK-NEXT: 1
  call @f32(%noned, %noned) : (tensor<?x2xf32>, tensor<?x2xf32>) -> ()

  %fine = arith.constant dense<[[[3.0, 4.0]], [[1.0, 0.0]]]> : tensor<2x1x2xf32>
  %nan = arith.constant dense<[[[3.0, 4.0]], [[0x7FC00000, 0.0]]]> : tensor<2x1x2xf32>
  %inf = arith.constant dense<[[[3.0, 4.0]], [[0xFF800000, 0.0]]]> : tensor<2x1x2xf32>
  %keys = arith.constant dense<[[[1.0, 1.0], [0.0, 0.0]]]> : tensor<1x2x2xf32>
  %nankeys = arith.constant dense<[[[0.0, 0x7FC00000], [0.0, 0.0]]]> : tensor<1x2x2xf32>
  // CHECK-NEXT: 1
  call @loose(%fine, %keys) : (tensor<2x1x2xf32>, tensor<1x2x2xf32>) -> ()
  // CHECK-NEXT: 0
  call @loose(%nan, %keys) : (tensor<2x1x2xf32>, tensor<1x2x2xf32>) -> ()
  // CHECK-NEXT: 0
  call @loose(%inf, %keys) : (tensor<2x1x2xf32>, tensor<1x2x2xf32>) -> ()
  // CHECK-NEXT: 0
  call @loose(%fine, %nankeys) : (tensor<2x1x2xf32>, tensor<1x2x2xf32>) -> ()

  // Squares of these underflow or overflow; the product of the norms is 1e-20.
  %small = arith.constant dense<1.0e-170> : tensor<1x1xf64>
  %large = arith.constant dense<1.0e150> : tensor<1x1xf64>
  // CHECK-NEXT: 0
  call @f64(%small, %large) : (tensor<1x1xf64>, tensor<1x1xf64>) -> ()
  // CHECK-NEXT: 1
  call @f64(%small, %small) : (tensor<1x1xf64>, tensor<1x1xf64>) -> ()
  // scale^2 alone would underflow; the score is 1e-50.
  %middle = arith.constant dense<1.0e75> : tensor<1x1xf64>
  // CHECK-NEXT: 0
  call @tiny_scale(%middle, %middle) : (tensor<1x1xf64>, tensor<1x1xf64>) -> ()

  // The square overflows f16, and would be inexact in f32.
  %h = arith.constant dense<59968.0> : tensor<1x1xf16>
  %b = arith.constant dense<59904.0> : tensor<1x1xbf16>
  // CHECK-NEXT: 1
  // CHECK-NEXT: 1
  call @f16(%h, %b) : (tensor<1x1xf16>, tensor<1x1xbf16>) -> ()
  return
}
