// RUN: not polyattn-opt %s --attn-copies-to-loops 2>&1 | FileCheck %s

// CHECK: copies-to-loops-invalid.mlir:[[@LINE+2]]:{{.*}}: error: a slice with a negative stride cannot be compiled: reverse the tensor with a linalg.generic
func.func @reversed(%a: memref<6x4xf32>) -> memref<6x4xf32, strided<[4, -1], offset: 3>> {
  %s = memref.subview %a[0, 3] [6, 4] [1, -1] : memref<6x4xf32> to memref<6x4xf32, strided<[4, -1], offset: 3>>
  return %s : memref<6x4xf32, strided<[4, -1], offset: 3>>
}
