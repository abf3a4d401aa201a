using Orderwright.Hosting;
using Orderwright.SagaCoordinator;

return await ServiceHost.RunAsync(args, new SagaModule());
