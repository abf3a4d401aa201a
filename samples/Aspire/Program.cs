using Aspire.Hosting;

var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions
{
    Args = args,
    DisableDashboard = args.Contains("--no-dashboard"),
});

// Servers that run already, from ConnectionStrings__postgres and ConnectionStrings__rabbitmq. With Docker, and the packages
// Aspire.Hosting.PostgreSQL and Aspire.Hosting.RabbitMQ, the application can start its own:
//   var postgres = builder.AddPostgres("postgres").WithDataVolume();
//   var rabbitMq = builder.AddRabbitMQ("rabbitmq");
var postgres = builder.AddConnectionString("postgres");
var rabbitMq = builder.AddConnectionString("rabbitmq");

builder.AddOrderwright(
    builder.Configuration["Orderwright:Sources"] ?? Path.Combine(builder.AppHostDirectory, "..", "..", "src"), postgres, rabbitMq,
    int.Parse(builder.Configuration["Orderwright:Port"] ?? "4000", System.Globalization.CultureInfo.InvariantCulture));

builder.Build().Run();
