// A loop may carry a tensor whose next value gets memory of its own.
// RUN: polyattn-run %s | FileCheck %s
// CHECK: [1.5, 1.5, 1.5]
func.func @main() -> tensor<3xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %three = arith.constant 3 : index
  %x = arith.constant dense<0.5> : tensor<3xf32>
  %init = arith.constant dense<0.0> : tensor<3xf32>
  %sum = scf.for %i = %zero to %three step %one iter_args(%s = %init) -> (tensor<3xf32>) {
    %e = tensor.empty() : tensor<3xf32>
    %next = linalg.add ins(%s, %x : tensor<3xf32>, tensor<3xf32>) outs(%e : tensor<3xf32>) -> tensor<3xf32>
    scf.yield %next : tensor<3xf32>
  }
  return %sum : tensor<3xf32>
}
