using Orderwright.CustomerService;
using Orderwright.Hosting;

return await ServiceHost.RunAsync(args, new CustomerModule());
