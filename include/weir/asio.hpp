// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/async_call.hpp>
#include <weir/asio/cancellation.hpp>
#include <weir/asio/driver.hpp>
#include <weir/asio/timer_wheel.hpp>
