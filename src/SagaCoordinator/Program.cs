using Orderwright.Hosting;
using Orderwright.OperatorConsole;
using Orderwright.SagaCoordinator;

return await ServiceHost.RunAsync(args, [new SagaModule()], null, new ConsoleSite());
