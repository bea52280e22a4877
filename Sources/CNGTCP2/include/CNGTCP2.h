#ifndef CNGTCP2_H
#define CNGTCP2_H
#endif
