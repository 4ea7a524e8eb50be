// Linear layers with adapters: |x W| + scale |x A| |B|.
// RUN: polyattn-opt %s --attn-infer-bounds=report-results --remarks-filter='polyattn.*' -o /dev/null 2>&1 | FileCheck %s

// Norms, not elements: rows of tanh have norms up to 2, W keeps norms, and so
// does A, whose columns are orthonormal, and B: 2 + 3 * 2. Elements up to 8, 8, 2
// and 2 would have allowed 11.7.
// CHECK: Function=norms {{.*}}result 0: {{.*}} norms of rows at most 8.01 (
func.func @norms(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %w = arith.constant dense<[[0.5, 0.5, 0.5, 0.5], [0.5, -0.5, 0.5, -0.5], [0.5, 0.5, -0.5, -0.5], [0.5, -0.5, -0.5, 0.5]]> : tensor<4x4xf32>
  %a = arith.constant dense<[[0.5, 0.5], [0.5, -0.5], [0.5, 0.5], [0.5, -0.5]]> : tensor<4x2xf32>
  %b = arith.constant dense<[[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]> : tensor<2x4xf32>
  %t = math.tanh %x : tensor<?x4xf32>
  %y = attn.lora_linear %t, %w, %a, %b scale 3.0 : tensor<?x4xf32>, tensor<4x4xf32>, tensor<4x2xf32>, tensor<2x4xf32>
  return %y : tensor<?x4xf32>
}

// Elements, where they say more: up to 2, 1, 1 + 6 and 1.
// CHECK: Function=layer {{.*}}elements in [-7, 7], norms of rows at most 7.42 (math.tanh
func.func @layer(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %w = arith.constant dense<[[2.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]> : tensor<4x4xf32>
  %a = arith.constant dense<[[0.0], [1.0], [0.0], [0.0]]> : tensor<4x1xf32>
  %b = arith.constant dense<[[0.0, 0.0, 3.0, 0.0]]> : tensor<1x4xf32>
  %t = math.tanh %x : tensor<?x4xf32>
  %y = attn.lora_linear %t, %w, %a, %b scale 2.0 : tensor<?x4xf32>, tensor<4x4xf32>, tensor<4x1xf32>, tensor<1x4xf32>
  return %y : tensor<?x4xf32>
}

// The same in PyTorch's layout, with more leading dimensions and a bias: 5, 1, 7
// and 5.
// CHECK: Function=transposed {{.*}}result 0: {{.*}} norms of rows at most 10 (
func.func @transposed(%x: tensor<3x?x4xf32>) -> tensor<3x?x4xf32> {
  %w = arith.constant dense<[[2.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]> : tensor<4x4xf32>
  %a = arith.constant dense<[[0.0, 1.0, 0.0, 0.0]]> : tensor<1x4xf32>
  %b = arith.constant dense<[[0.0], [0.0], [3.0], [0.0]]> : tensor<4x1xf32>
  %bias = arith.constant dense<[3.0, 0.0, 0.0, 4.0]> : tensor<4xf32>
  %t = math.tanh %x : tensor<3x?x4xf32>
  %y = attn.lora_linear %t, %w, %a, %b bias(%bias : tensor<4xf32>) scale -2.0 transposed
    : tensor<3x?x4xf32>, tensor<4x4xf32>, tensor<1x4xf32>, tensor<4x1xf32>
  return %y : tensor<3x?x4xf32>
}

// Of several adapters the largest counts, whichever stands first: up to 2 + 1, 1,
// 1 + 6 and 1. One that adds nothing is left out, whatever it is, and one that is
// not known has no bound.
// CHECK: Function=several {{.*}}result 0: {{.*}} norms of rows at most 7.75 (
// CHECK: Function=several {{.*}}result 1: {{.*}} norms of rows at most 2.65 (
// CHECK: Function=several {{.*}}result 2: {{.*}}no bound
func.func @several(%x: tensor<?x4xf32>, %i: tensor<?xi32>, %unknown: tensor<1x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) {
  %w = arith.constant dense<[[2.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]> : tensor<4x4xf32>
  %a = arith.constant dense<[[[0.0], [0.5], [0.0], [0.0]], [[0.0], [0.0], [1.0], [0.0]]]> : tensor<2x4x1xf32>
  %b = arith.constant dense<[[[1.0, 0.0, 0.0, 0.0]], [[0.0, 0.0, 3.0, 0.0]]]> : tensor<2x1x4xf32>
  %a0 = arith.constant dense<[[0.0], [1.0], [0.0], [0.0]]> : tensor<4x1xf32>
  %t = math.tanh %x : tensor<?x4xf32>
  %0 = attn.lora_linear %t, %w, %a, %b adapters(%i : tensor<?xi32>) scale 2.0
    : tensor<?x4xf32>, tensor<4x4xf32>, tensor<2x4x1xf32>, tensor<2x1x4xf32>
  %1 = attn.lora_linear %t, %w, %a0, %unknown scale 0.0 : tensor<?x4xf32>, tensor<4x4xf32>, tensor<4x1xf32>, tensor<1x4xf32>
  %2 = attn.lora_linear %t, %w, %a0, %unknown scale 2.0 : tensor<?x4xf32>, tensor<4x4xf32>, tensor<4x1xf32>, tensor<1x4xf32>
  return %0, %1, %2 : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
}

// A merged weight: the third row is 0, 0, 1 + 6 at most, 0.
// CHECK: Function=merged {{.*}}result 0: elements in [-6, 7], norms of rows at most 7 (
func.func @merged(%x: tensor<4x1xf32>) -> tensor<4x4xf32> {
  %w = arith.constant dense<[[2.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]> : tensor<4x4xf32>
  %b = arith.constant dense<[[0.0, 0.0, 3.0, 0.0]]> : tensor<1x4xf32>
  %a = math.tanh %x : tensor<4x1xf32>
  %y = attn.lora_merge %w, %a, %b scale 2.0 : tensor<4x4xf32>, tensor<4x1xf32>, tensor<1x4xf32>
  return %y : tensor<4x4xf32>
}
