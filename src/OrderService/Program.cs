using Orderwright.Hosting;
using Orderwright.OrderService;

return await ServiceHost.RunAsync(args, new OrderModule());
