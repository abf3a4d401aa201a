// A service of a peer: the order process of Orderwright, built on another library. The environment names the peer, the service,
// and the servers, with the variables of Orderwright's own services, so that the benchmark starts both alike.
using JasperFx;
using Npgsql;
using Orderwright.Peers;
using Orderwright.Peers.MassTransit;
using Orderwright.Peers.Shop;
using Orderwright.Peers.Wolverine;

var settings = Settings.Read();
var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseUrls(settings.Listen);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, ShopJson.Default));

await using var data = NpgsqlDataSource.Create(settings.Database);
builder.Services.AddSingleton(data);
builder.Services.AddSingleton<Decisions>();
if (settings.Peer == "masstransit") MassTransitPeer.Add(builder, settings);
else WolverinePeer.Add(builder, settings);

var app = builder.Build();
Api.Map(app, settings.Service);
// Wolverine's command line, which writes the code of the handlers before the final build.
if (args.Length > 0) return await app.RunJasperFxCommands(args);

await Sql.CreateTablesAsync(data, settings.Service, CancellationToken.None);
await app.StartAsync();
Console.WriteLine($"{settings.Service} is ready: {app.Urls.First()} ({settings.Peer})");
await app.WaitForShutdownAsync();
return 0;
