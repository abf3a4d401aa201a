using Orderwright.SandboxGateway;
using Orderwright.Hosting;

return await ServiceHost.RunAsync(args, [new GatewayModule()], GatewayModule.PrintConnectionSettings);
