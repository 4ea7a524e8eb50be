// RUN: polyattn-opt %s --attn-copies-to-loops | FileCheck %s

// CHECK-LABEL: func @strided
// CHECK-NOT:     memref.copy
// CHECK:         linalg.generic {{.*}} ins(%{{.*}} : memref<4x8xf32>) outs(%{{.*}} : memref<4x8xf32, strided<[16, 1]>>)
// CHECK-NOT:     memref.copy
func.func @strided(%a: memref<4x8xf32>, %b: memref<4x8xf32, strided<[16, 1]>>) {
  memref.copy %a, %b : memref<4x8xf32> to memref<4x8xf32, strided<[16, 1]>>
  return
}

// CHECK-LABEL: func @contiguous
// CHECK:         memref.copy
// CHECK:         memref.copy
func.func @contiguous(%a: memref<4x?xf32>, %b: memref<4x?xf32>, %c: memref<4x8xf32, strided<[8, 1], offset: 3>>, %d: memref<4x8xf32>) {
  memref.copy %a, %b : memref<4x?xf32> to memref<4x?xf32>
  memref.copy %c, %d : memref<4x8xf32, strided<[8, 1], offset: 3>> to memref<4x8xf32>
  return
}

// CHECK-LABEL: func @unranked
// CHECK:         memref.copy
func.func @unranked(%a: memref<*xf32>, %b: memref<*xf32>) {
  memref.copy %a, %b : memref<*xf32> to memref<*xf32>
  return
}
