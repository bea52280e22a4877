#include "CNGTCP2.h"
