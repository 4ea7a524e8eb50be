// Result types: what is inferred, and which refinements of it are accepted.
// RUN: polyattn-opt %s | FileCheck %s

// The op may say more or less about dynamic sizes than its operands do.
// CHECK-LABEL: func.func @refined
// CHECK: -> tensor<2x3x4xf32>
func.func @refined(%q: tensor<?x?x8xf32>, %k: tensor<?x5x8xf32>, %v: tensor<?x5x?xf32>) -> tensor<2x3x4xf32> {
  %0 = attn.attention %q, %k, %v scale 1.0 : tensor<?x?x8xf32>, tensor<?x5x8xf32>, tensor<?x5x?xf32> -> tensor<2x3x4xf32>
  return %0 : tensor<2x3x4xf32>
}

// CHECK-LABEL: func.func @forgotten
// CHECK: -> tensor<?x?x?xf32>
func.func @forgotten(%x: tensor<2x3x8xf32>) -> tensor<?x?x?xf32> {
  %0 = attn.attention %x, %x, %x scale 1.0 : tensor<2x3x8xf32>, tensor<2x3x8xf32>, tensor<2x3x8xf32> -> tensor<?x?x?xf32>
  return %0 : tensor<?x?x?xf32>
}

// Heads, head dimensions and lengths that are not known may agree at run time.
// CHECK-LABEL: func.func @unknown
func.func @unknown(%q: tensor<?x?x?x?xf32>, %k: tensor<2x3x?x16xf32>, %v: tensor<?x3x7x?xf32>, %w: tensor<?x?x?xf32>,
                   %bias: tensor<?x?x?x?xf32>) -> tensor<?x?x?x?xf32> {
  %0 = attn.attention %q, %k, %v bias(%bias : tensor<?x?x?x?xf32>) key_weights(%w : tensor<?x?x?xf32>) scale 1.0
     : tensor<?x?x?x?xf32>, tensor<2x3x?x16xf32>, tensor<?x3x7x?xf32> -> tensor<?x?x?x?xf32>
  return %0 : tensor<?x?x?x?xf32>
}
