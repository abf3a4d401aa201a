using Orderwright.Hosting;
using Orderwright.StockService;

return await ServiceHost.RunAsync(args, new StockModule());
